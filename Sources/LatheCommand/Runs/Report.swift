import ArgumentParser
import Foundation
import LatheFiles
import LatheReports
import SystemPackage

struct Report: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a page about runs: settings, curves, samples, scores, times.",
    usage: "lathe report RUN … [options]",
    discussion: """
      One HTML file that refers to nothing outside of it:
        lathe report runs/vae-mnist
        lathe report runs/vae-mnist runs/flexae-mnist --out both.html
      With --watch it is written again while the runs go on; Ctrl-C ends that.
      """)

  @Argument(help: "Runs.", completion: .runs) var runs: [String]

  @Option(help: "The file to write (default: report.html in the first run).")
  var out: String?

  @Option(help: "Write the page again every so many seconds.")
  var watch: Double?

  func validate() throws {
    guard let watch else { return }
    guard watch >= 1, watch <= 86_400 else {
      throw ValidationError("--watch: expected 1 to 86400 seconds, found \(watch)")
    }
  }

  func run() throws {
    let path = FilePath(out ?? FilePath(runs[0]).appending("report.html").string)
    let file = try OutputFile(path.string, option: "--out")
    while true {
      let text = try page().text
      try file.write(Data(text.utf8))
      print("written          \(path), \(grouped(text.utf8.count >> 10)) KiB")
      flushOutput()
      guard let watch else { return }
      Thread.sleep(forTimeInterval: watch)
    }
  }

  private func page() throws -> HTMLPage {
    let all = try runs.map { path in
      guard let run = RunSummary(FilePath(path)) else {
        throw CommandFailure.missing("\(path): no run there")
      }
      return run
    }
    return try failing { try RunReport(runs: all).page() }
  }
}
