import ArgumentParser
import Foundation
import LatheFiles
import SystemPackage

struct Card: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a model card of a run: what it is, its scores, and how they were measured.",
    discussion: """
      Markdown, with the metadata that Hugging Face reads:
        lathe card runs/vae-mnist
        lathe card runs/vae-mnist --license apache-2.0 --out README.md
      The scores are those of the run's newest evaluation (`lathe evaluate RUN`).
      """)

  @Argument(help: ArgumentHelp("A run's folder.", valueName: "run"), completion: .runs)
  var folder: String

  @Option(help: "The model's license by Hugging Face's name, such as apache-2.0.")
  var license: String?

  @Option(help: "The file to write (default: standard output).", completion: .file())
  var out: String?

  func run() throws {
    guard let run = RunSummary(FilePath(folder)) else {
      throw CommandFailure.missing("\(folder): no run there")
    }
    let file = try out.map { try OutputFile($0, option: "--out") }
    let text = try RunCard(run: run, license: license).text()
    guard let file else { return print(text, terminator: "") }
    try file.write(Data(text.utf8))
    print("written          \(file.path)")
  }
}
