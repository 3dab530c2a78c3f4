import ArgumentParser
import Foundation
import LatheFiles
import SystemPackage

struct RunsCommand: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Lists runs: model, data, steps, best score, speed, and how they differ.",
    usage: "lathe runs [FOLDER …]",
    discussion: """
        lathe runs
        lathe runs runs/vae-mnist runs/vae-mnist-2
      """)

  @Argument(help: "Folders of runs, or runs (default: runs).", completion: .runs)
  var folders: [String] = ["runs"]

  func run() throws {
    let runs = RunSummary.all(in: folders.map { FilePath($0) })
    guard !runs.isEmpty else {
      throw CommandFailure.missing("\(folders.joined(separator: ", ")): no runs there")
    }
    let differing = runs.differences
    for run in runs {
      print(run.folder)
      print(listed("  " + run.text("model"), details(of: run), column: 18))
      let own = differing.compactMap { name in
        run.settings[name].map { "\(name)=\($0.text)" }
      }
      if runs.count > 1, !own.isEmpty {
        print(listed("  differs in", own.joined(separator: " "), column: 18))
      }
    }
  }

  private func details(of run: RunSummary) -> String {
    var parts = ["\(run.text("dataset")), step \(run.step)/\(run.text("steps"))"]
    if let best = run.best { parts.append("best \(best.score) \(shortNumber(best.value))") }
    if let error = run.scores["preview/error"] { parts.append("test error \(shortNumber(error))") }
    if let rate = run.rate { parts.append("\(shortNumber(rate)) images/s") }
    if run.checkpoints.isEmpty { parts.append("no checkpoint") }
    return parts.joined(separator: ", ")
  }
}

/// A number with five significant digits.
func shortNumber(_ value: Double) -> String { String(format: "%.5g", value) }
