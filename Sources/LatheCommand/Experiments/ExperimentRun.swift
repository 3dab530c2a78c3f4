import ArgumentParser
import Foundation
import LatheFiles
import SystemPackage

struct ExperimentRun: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Trains and evaluates the cells of an experiment; continues where it stopped.",
    usage: "lathe experiment run NAME --out DIR [options]",
    discussion: """
        lathe experiment run table3 --scale small --only mnist --ranks 2 --out repro
      The same command goes on with what is missing, on any number of ranks. It starts mpirun \
      itself. As a Slurm array of 48 jobs, and as plain commands for another scheduler:
        lathe experiment run table3 --task $SLURM_ARRAY_TASK_ID/48 --out repro
        lathe experiment run table3 --print --out repro
      Runs are shared between experiments. A cell that fails is named, the others go on; then the \
      status is 70. Ctrl-C, SIGTERM and the end of --minutes save the run: status 75.
      """)

  @OptionGroup var selection: ExperimentSelection

  @Option(help: "Folder of the runs, and of what comes of them.")
  var out: String

  @Option(help: "Ranks of each run, on this host.")
  var ranks = 1

  @Option(help: "Threads of each rank.")
  var threads = 1

  @Option(help: "Folder with a folder for each data set: mnist, celeba …")
  var dataRoot: String?

  @OptionGroup var evaluation: EvaluationChoiceFlags

  @Option(help: "Every N-th cell from the i-th on, as i/N.")
  var task: TaskShare?

  @Option(help: "Save and end after so many minutes.")
  var minutes: Double?

  @Flag(name: .customLong("print"), help: "Print a command for each training instead.")
  var prints = false

  func validate() throws {
    try check("--ranks", ranks, in: 1...100_000)
    try check("--threads", threads, in: 1...256)
    guard let minutes else { return }
    guard minutes > 0, minutes <= 1e6 else {
      throw ValidationError("--minutes: expected a time above 0, found \(minutes)")
    }
  }

  func run() throws {
    guard Launcher.place == nil else {
      throw CommandFailure.usage(
        "expected no mpirun around it: it starts the ranks itself, --ranks of them")
    }
    let chosen = try selection.chosen()
    let place = Reproduction(out)
    try place.prepare()
    let options = CellOptions(
      ranks: ranks, threads: threads, dataRoot: dataRoot, evaluation: evaluation.choice)
    let cells = task?.part(of: chosen.cells) ?? chosen.cells
    let runs = cells.map { CellRun(cell: $0, place: place, options: options) }
    if evaluation.features != nil, cells.contains(where: \.isOfVectors) {
      note("--features: for the data sets of images; vectors are measured themselves")
    }
    for cell in cells { try place.writeRecipe(of: cell) }
    try place.write(
      Reproduction.Record(
        experiment: chosen.named.name, file: selection.ownFile, scale: selection.scale,
        evaluation: evaluation.choice), replacing: !prints)
    guard !prints else {
      return runs.forEach { print(shellText($0.command($0.trainArguments))) }
    }
    let parts = chosen.named.experiment.report.filter { $0.kind == .pictures }
    try ExperimentRunner(
      runs: runs,
      pictures: parts.filter(\.together.isEmpty).flatMap { CellPicture.all($0, of: runs) },
      sheets: try sheets(parts.filter { !$0.together.isEmpty }, chosen.named, place, options),
      deadline: minutes.map { Date(timeIntervalSinceNow: $0 * 60) }
    ).run()
  }

  /// The pictures that show several of all cells together, as far as some of them are chosen; none
  /// of a share of the work.
  private func sheets(
    _ parts: [ReportPart], _ named: NamedExperiment, _ place: Reproduction, _ options: CellOptions
  ) throws -> [CellPicture] {
    guard !parts.isEmpty, task == nil else { return [] }
    let chosen = Set(try selection.chosen().cells.map(\.runName))
    let all = try named.cells(atScale: selection.scale, in: try ExperimentFolder.find()).map {
      CellRun(cell: $0, place: place, options: options)
    }
    return parts.flatMap { CellPicture.all($0, of: all) }.filter { picture in
      picture.group.contains { chosen.contains($0.cell.runName) }
    }
  }

  /// A command for a shell: each argument in single quotes where that is needed.
  private func shellText(_ command: [String]) -> String {
    command.map { argument in
      let isPlain = argument.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,".contains($0))
      }
      return isPlain && !argument.isEmpty
        ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }
}

/// Which cells of which experiment, at which scale.
struct ExperimentSelection: ParsableArguments {
  @Argument(help: "An experiment's name, or a .yml file of your own.")
  var name: String

  @Option(help: "published, common or small; or one of the experiment's own.")
  var scale = "published"

  @Option(help: "Only cells with this value on some axis, such as mnist; may be repeated.")
  var only: [String] = []

  /// The path of a file of one's own.
  var ownFile: String? {
    name.contains(".") ? URL(fileURLWithPath: name).path : nil
  }

  /// - Throws: `CommandFailure` for an experiment, a scale or a value that there is not.
  func chosen() throws -> (named: NamedExperiment, cells: [Cell]) {
    let folder = try ExperimentFolder.find()
    let named = try folder.experiment(name)
    let all = try named.cells(atScale: scale, in: folder)
    let cells = all.filter { cell in
      only.allSatisfy { value in cell.axes.values.contains { $0.text == value } }
    }
    guard !cells.isEmpty else {
      let known = Set(all.flatMap { $0.axes.values.map(\.text) }).sorted()
      throw CommandFailure.usage(
        "--only \(only.joined(separator: " ")): no cell; values are "
          + known.joined(separator: ", "))
    }
    return (named, cells)
  }
}

extension NamedExperiment {
  /// - Throws: `CommandFailure` (64) for a scale that there is not.
  func cells(atScale name: String, in folder: ExperimentFolder) throws -> [Cell] {
    let shared = try folder.scales()
    guard let scale = shared[name] ?? experiment.scales[name] else {
      let known = Set(shared.keys).union(experiment.scales.keys).sorted().joined(separator: ", ")
      throw CommandFailure.usage("no scale '\(name)'; there are \(known)")
    }
    return try cells(at: scale, named: name, recipes: folder.recipes)
  }
}

/// How runs are evaluated, in place of the experiment's own way.
struct EvaluationChoiceFlags: ParsableArguments {
  @Option(help: "Features for the scores, such as inception:FILE (default: the experiment's).")
  var features: String?

  @Option(help: "Dimensions of Inception's features.")
  var dims: Int?

  @Option(help: "Images of each kind for the scores.")
  var samples: Int?

  var choice: EvaluationChoice {
    EvaluationChoice(features: features, dims: dims, samples: samples)
  }
}

/// A share of work: `3/48` is every 48th cell from the third on.
struct TaskShare: ExpressibleByArgument {
  let number, count: Int

  init?(argument: String) {
    let parts = argument.split(separator: "/").map { Int($0) }
    guard parts.count == 2, let number = parts[0], let count = parts[1], count >= 1,
      (1...count).contains(number)
    else { return nil }
    (self.number, self.count) = (number, count)
  }

  func part<Element>(of all: [Element]) -> [Element] {
    stride(from: number - 1, to: all.count, by: count).map { all[$0] }
  }
}
