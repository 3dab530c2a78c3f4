import Foundation
import LatheDistributed
import LatheFiles
import LatheTraining
import SystemPackage

/// How the cells of an experiment are run.
struct CellOptions {
  var ranks = 1
  var threads = 1
  /// A folder with a folder for each data set, `mnist`, `celeba` …
  var dataRoot: String?
  var evaluation = EvaluationChoice()
}

/// The commands that make one cell: training, evaluation, pictures.
struct CellRun {
  let cell: Cell
  let place: Reproduction
  let options: CellOptions

  var run: FilePath { place.run(of: cell) }
  var scores: FilePath { options.evaluation.scores(of: cell, in: run) }

  /// A file that says that the run has made all its steps.
  var mark: FilePath { run.appending("trained") }

  var isTrained: Bool { FileSystem.isFile(mark) }
  var isEvaluated: Bool { FileSystem.isFile(scores) }

  func markTrained() throws {
    try failing { try FileSystem.replace(mark, with: Array("all steps are made\n".utf8)) }
  }

  /// The steps that the run has made, by its checkpoints; nil if it has none.
  var step: Int? {
    (try? CheckpointStore(reading: run.appending("checkpoints")).steps())?.last
  }

  // MARK: Commands

  /// `lathe train`, which begins or continues the run.
  var trainArguments: [String] {
    var arguments = ["train", "--recipe", place.recipe(of: cell).string, "--out", run.string]
    if step != nil { arguments += ["--resume"] }
    return arguments + ["--threads", "\(options.threads)"] + data
  }

  var forecastArguments: [String] {
    ["train", "--recipe", place.recipe(of: cell).string, "--dry-run", "--out", run.string]
      + ["--threads", "\(options.threads)"] + data
  }

  var evaluateArguments: [String] {
    let settings = options.evaluation.settings(of: cell).sorted { $0.key < $1.key }
    let flags = settings.flatMap { name, value -> [String] in
      switch value {
      case .null: []
      case .bool(let isOn): [isOn ? "--\(name)" : "--no-\(name)"]
      case .array(let values): ["--\(name)", values.map(\.text).joined(separator: ",")]
      default: ["--\(name)", value.text]
      }
    }
    let features = ["--keep-features", place.features.string]
    return ["evaluate", run.string, "--out", scores.string] + features + flags
      + ["--threads", "\(options.threads)"] + data
  }

  /// Where the data set is, for any command.
  var data: [String] {
    guard let root = options.dataRoot else { return [] }
    let folder = FilePath(root).appending(cell.text("dataset"))
    return FileSystem.exists(folder) ? ["--data", folder.string] : []
  }

  /// The program with its arguments, under mpirun where there are several ranks.
  func command(_ arguments: [String], ranks: Int? = nil) -> [String] {
    let (ranks, cores) = (ranks ?? options.ranks, ProcessInfo.processInfo.activeProcessorCount)
    let lathe = [ExperimentFolder.program.string] + arguments
    guard ranks > 1 else { return lathe }
    let isCrowded = MPISession.isOpenMPI && ranks * options.threads > cores
    let crowd = isCrowded ? ["--oversubscribe"] : []
    return ["mpirun", "-n", "\(ranks)", "--bind-to", "none"] + crowd + lathe
  }
}
