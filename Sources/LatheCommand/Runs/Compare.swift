import ArgumentParser
import Foundation
import LatheFiles
import LatheReports
import SystemPackage

struct Compare: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts runs side by side: losses over the steps as figures, the newest scores.",
    usage: "lathe compare RUN RUN … [options]",
    discussion: """
        lathe compare runs/vae-mnist runs/flexae-mnist --out compared
      """)

  @Argument(help: "Runs.", completion: .runs) var runs: [String]

  @Option(help: "The figure to write, NAME.png or NAME.svg, or a folder for it (default: .).")
  var out: String?

  @Flag(help: "Write each figure as SVG as well.")
  var svg = false

  func run() throws {
    let all = try runs.map { path in
      guard let run = RunSummary(FilePath(path)) else {
        throw CommandFailure.missing("\(path): no run there")
      }
      return run
    }
    printTable(all)
    try drawLosses(all)
  }

  // MARK: Scores

  private func printTable(_ all: [RunSummary]) {
    for (number, run) in all.enumerated() {
      print("\(number + 1)  \(run.folder): \(run.text("model")) on \(run.text("dataset"))")
    }
    let names = Set(all.flatMap(\.scores.keys)).sorted()
    var rows = [("", all.indices.map { "\($0 + 1)" })]
    rows.append(("step", all.map { "\($0.step)" }))
    rows.append(("images/s", all.map { $0.rate.map(shortNumber) ?? "-" }))
    rows += names.map { name in (name, all.map { $0.scores[name].map(shortNumber) ?? "-" }) }
    rows += all.differences.map { name in (name, all.map { $0.settings[name]?.text ?? "-" }) }
    let width = max(28, names.reduce(0) { max($0, $1.count + 2) })
    for (name, values) in rows {
      let columns = values.map { padded($0, 12) }.joined()
      print(padded(name, width) + columns.trimmingSuffix { $0 == " " })
    }
  }

  private func padded(_ text: String, _ width: Int) -> String {
    let cut = text.count < width ? text : String(text.prefix(width - 2)) + "…"
    return cut.padding(toLength: width, withPad: " ", startingAt: 0)
  }

  // MARK: Curves

  /// A figure for each loss that the runs have.
  private func drawLosses(_ all: [RunSummary]) throws {
    let names = Set(all.flatMap(\.lossNames)).sorted()
    var figures = FigureOptions()
    (figures.out, figures.svg) = (out, svg)
    for name in names {
      let series = all.compactMap { run -> Chart.Series? in
        let points = run.curve(name)
        let name = run.folder.lastComponent?.string ?? run.folder.string
        return points.isEmpty ? nil : Chart.Series(name, points: points)
      }
      let chart = Chart(
        title: "\(name) of the training batches", xLabel: "training step", yLabel: name,
        .curves(series))
      let paths = try figures.write("compared", part: name, in: FilePath(".")) {
        try chart.write(to: $0)
      }
      print("curves           \(paths)")
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ drops: (Character) -> Bool) -> String {
    var text = self[...]
    while let last = text.last, drops(last) { text.removeLast() }
    return String(text)
  }
}
