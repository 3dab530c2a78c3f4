import ArgumentParser
import Foundation
import LatheFiles
import SystemPackage

struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Grids of runs: the talk's tables and figures, sweeps, several seeds.",
    subcommands: [
      ExperimentList.self, ExperimentShow.self, ExperimentRun.self, ExperimentReport.self,
    ])
}

struct ExperimentList: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists experiments and scales.")

  func run() throws {
    let folder = try ExperimentFolder.find()
    for name in try folder.names() {
      let experiment = try folder.experiment(name).experiment
      print(listed(name, experiment.title))
    }
    print("scales")
    for (name, scale) in try folder.scales().sorted(by: { $0.key < $1.key }) {
      print(listed("  \(name)", scale.title))
    }
  }
}

struct ExperimentShow: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows an experiment's cells, their steps, and the hours they take.",
    usage: "lathe experiment show NAME [options]",
    discussion: """
        lathe experiment show table3 --scale small --ranks 2
      The hours are those of training, one cell after the other, from some steps of each cell on \
      this machine. On more ranks than --ranks they are shared out evenly, among as many ranks as \
      the cell's batch or its slices can be: what communication adds is in docs/scaling.md.
      """)

  @OptionGroup var selection: ExperimentSelection

  @Option(help: "Ranks of this host that are measured.")
  var ranks = 1

  @Option(help: "Threads of each rank.")
  var threads = 1

  @Option(help: "Folder with a folder for each data set: mnist, celeba …")
  var dataRoot: String?

  @Option(help: "Numbers of ranks to predict for, separated by commas.")
  var on = "64,1024"

  @Flag(inversion: .prefixedNo, help: "Measure some steps of each cell.")
  var measure = true

  func validate() throws {
    try check("--ranks", ranks, in: 1...100_000)
    try check("--threads", threads, in: 1...256)
    guard !others.contains(nil) else {
      throw ValidationError("--on: expected numbers of ranks, found \(on)")
    }
  }

  private var others: [Int?] {
    on.split(separator: ",").map { Int($0).flatMap { $0 > 0 ? $0 : nil } }
  }

  func run() throws {
    let (named, cells) = try selection.chosen()
    print("\(named.name): \(named.experiment.title)")
    if let source = named.experiment.source { print(wrapped("source: \(source)")) }
    cells.meanings.forEach { print(wrapped($0)) }
    print("\(counted(cells.count, "cell")) at scale \(selection.scale)")
    guard measure else { return cells.forEach { print("  \($0.name)\($0.recipeRemark)") } }
    let temporary = FileManager.default.temporaryDirectory.appendingPathComponent(
      "lathe-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: temporary) }
    let place = Reproduction(temporary.path)
    try place.prepare()
    var work: [(cell: Cell, seconds: Double)] = []
    var measured: [Data?: Forecast] = [:]
    var failed: [String: String] = [:]
    for cell in cells {
      let forecast = try measured[cell.kind] ?? self.forecast(of: cell, place)
      measured[cell.kind] = forecast
      var text = forecast.text
      if let needed = forecast.seconds {
        work.append((cell, needed))
      } else if let first = failed[text] {
        text = "as \(first)"
      } else {
        failed[text] = cell.name
      }
      print("  \(cell.name): \(text)\(cell.recipeRemark)")
      flushOutput()
    }
    let hours = ([ranks] + others.compactMap { $0 }).map { prediction(for: work, on: $0) }
    let others = failed.isEmpty ? "" : ", without those that cannot be trained"
    print(listed("in all", hours.joined(separator: ", ") + others))
  }

  /// What all cells take, one after the other, on so many ranks, and how many of these a cell uses
  /// where that is fewer.
  private func prediction(for work: [(cell: Cell, seconds: Double)], on count: Int) -> String {
    let used = work.map { $0.cell.usableRanks(of: count) }
    let seconds = zip(work, used).reduce(0) { sum, part in
      sum + part.0.seconds * Double(ranks) / Double(part.1)
    }
    let text = "\(spell(seconds: seconds)) on \(counted(count, "rank"))"
    guard let fewest = used.min(), let most = used.max(), fewest < count else { return text }
    let range = fewest == most ? "\(most)" : "\(fewest) to \(most)"
    return "\(text) (of which a cell uses \(range))"
  }

  /// What the training of a cell takes on the ranks that are there, by some of its steps, or why it
  /// cannot be trained.
  private func forecast(of cell: Cell, _ place: Reproduction) throws -> Forecast {
    let options = CellOptions(ranks: ranks, threads: threads, dataRoot: dataRoot)
    let run = CellRun(cell: cell, place: place, options: options)
    try place.writeRecipe(of: cell)
    let progress = TaskProgress()
    let child = try ChildProcess(
      run.command(run.forecastArguments), environment: ChildProcess.environmentOfRanks,
      log: place.log(of: cell))
    while child.isRunning {
      progress.show("measuring \(cell.name)", 0, 0)
      Thread.sleep(forTimeInterval: 0.05)
    }
    let status = child.finish()
    progress.finish()
    let text = (try? String(contentsOfFile: place.log(of: cell).string, encoding: .utf8)) ?? ""
    if status == 0, let forecast = Forecast(text) { return forecast }
    return Forecast(failure: "status \(status): \(child.lastLine)")
  }
}

/// What a dry run printed of a training.
private struct Forecast {
  let text: String
  /// nil if it failed.
  let seconds: Double?

  init?(_ text: String) {
    guard let step = text.firstMatch(of: /\na step +([0-9.e-]+) s/),
      let seconds = Double(step.1),
      let run = text.firstMatch(of: /for ([0-9,]+) steps?/),
      let steps = Int(run.1.replacing(",", with: ""))
    else { return nil }
    let whole = Double(steps) * seconds
    (self.text, self.seconds) = ("\(counted(steps, "step")), \(spell(seconds: whole))", whole)
  }

  init(failure: String) { (text, seconds) = (failure, nil) }
}

extension Cell {
  /// What cells have in common that differ in their seed alone, which takes no time.
  fileprivate var kind: Data? {
    let settings = training.values.merging(axes) { own, _ in own }.filter { $0.key != "seed" }
    return try? canonicalJSON(settings)
  }

  /// The most of so many ranks among which its batch can be shared out, 1 if it can on none.
  fileprivate func usableRanks(of count: Int) -> Int {
    guard let run = try? training.configuration() else { return 1 }
    let most = min(count, run.batch.slices ?? run.batch.size)
    return (1...max(1, most)).last { ranks in
      var run = run
      run.batch.slices = run.batch.slices ?? ranks
      return (try? run.requireConsistent(ranks: ranks)) != nil
    } ?? 1
  }

  fileprivate var recipeRemark: String { hasRecipe ? "" : " (no recipe: the model's defaults)" }
}
