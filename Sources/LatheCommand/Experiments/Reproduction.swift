import Foundation
import LatheFiles
import LatheTraining
import SystemPackage

/// The folder of the runs of experiments: `runs/`, their recipes, logs, scores and pictures. Runs
/// are shared between experiments.
struct Reproduction {
  let folder: FilePath

  var records: FilePath { folder.appending("experiments") }
  private var recipes: FilePath { folder.appending("recipes") }
  /// Features of real images, which all cells of a data set are compared with.
  var features: FilePath { folder.appending("features") }

  init(_ path: String) { folder = FilePath(path) }

  /// - Throws: `CommandFailure` (73) if the folder cannot be written.
  func prepare() throws {
    for path in [folder.appending("runs"), recipes, records, folder.appending("logs")] {
      try OutputFile.prepare(folder: path)
    }
  }

  func run(of cell: Cell) -> FilePath { folder.appending("runs").appending(cell.runName) }
  func recipe(of cell: Cell) -> FilePath { recipes.appending("\(cell.runName).yml") }
  func log(of cell: Cell) -> FilePath { folder.appending("logs").appending("\(cell.runName).log") }

  /// Writes the recipe of a cell, unless it is there.
  func writeRecipe(of cell: Cell) throws {
    let path = recipe(of: cell)
    guard !FileSystem.isFile(path) else { return }
    let text = try Recipe.yaml(of: cell.training)
    try failing { try FileSystem.replace(path, with: Array(text.utf8)) }
  }

  // MARK: What was asked for

  /// With which options an experiment was run here.
  struct Record: Codable {
    let experiment: String
    /// The file of an experiment that is none of lathe's.
    let file: String?
    let scale: String
    let evaluation: EvaluationChoice
  }

  /// Keeps a record; one that is there already stays unless it is to be replaced.
  func write(_ record: Record, replacing: Bool) throws {
    let path = records.appending("\(record.experiment)-\(record.scale).json")
    guard replacing || !FileSystem.isFile(path) else { return }
    try failing { try FileSystem.replace(path, with: Array(canonicalJSON(record))) }
  }

  /// The experiments that were run here.
  ///
  /// - Throws: `CommandFailure` (66 if there are none).
  func recorded() throws -> [Record] {
    let names = (try? FileSystem.names(in: records, failure: .missing)) ?? []
    let found = names.filter { $0.hasSuffix(".json") }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    guard !found.isEmpty else {
      throw CommandFailure.missing("\(folder): no experiment was run there")
    }
    return try found.map { name in
      let path = records.appending(name)
      let bytes = try failing { try FileSystem.contents(of: path) }
      do { return try JSONReader.value(of: bytes).decoded(as: Record.self) } catch {
        throw CommandFailure.data("\(path): \(message(of: error))")
      }
    }
  }
}

/// What overrides an experiment's own way of evaluation.
struct EvaluationChoice: Codable {
  var features: String?
  var dims: Int?
  var samples: Int?

  /// A cell's evaluation with these in place of its own. Features are those of images: vectors are
  /// measured themselves.
  func settings(of cell: Cell) -> [String: JSONValue] {
    var settings = cell.evaluation
    if let features, !cell.isOfVectors {
      settings["features"] = .string(features)
      settings["dims"] = dims.map { .int($0) }
    }
    if let samples { settings["samples"] = .int(samples) }
    return settings
  }

  /// The file of a cell's scores within its run.
  func scores(of cell: Cell, in run: FilePath) -> FilePath {
    let bytes = Array((try? canonicalJSON(settings(of: cell))) ?? Data())
    let digest = SHA256.hexadecimal(SHA256.digest(of: bytes)).prefix(8)
    return run.appending("scores-\(digest).json")
  }
}
