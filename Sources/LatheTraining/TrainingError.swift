import LatheDistributed
import SystemPackage

/// What can end a run, apart from its files and MPI; thrown on every rank alike.
public enum TrainingError: CommonError, CustomStringConvertible {
  /// A loss term or gradient was not finite.
  ///
  /// `origins` are the ranks that met it first, as "rank 1 on host, slices 2, 3"; empty when only a
  /// gradient shows it.
  case notFinite(
    phase: String, term: String, step: Int, value: Float, origins: [String],
    lastCheckpoint: FilePath?)
  /// A rank disagrees with rank 0 on what is to be done.
  ///
  /// `differences` are what it disagrees in: "seed: expected 1, found 2".
  case signature(rank: Int, host: String, differences: [String])
  /// There is nothing to resume from.
  case nothingToResume(FilePath)
  /// A checkpoint belongs to another run.
  case otherRun(FilePath, field: String, expected: String, found: String)

  /// A checkpoint was trained on other images than those that are there.
  case otherImages(FilePath, expected: RunState.Images, found: RunState.Images)

  /// An evaluation has no such score, which the learning rates depend on.
  case noScore(String, reasons: [String])

  public var description: String {
    switch self {
    case .noScore(let name, let reasons):
      "the schedule plateau watches \(name), which the evaluation does not have"
        + (reasons.isEmpty ? "" : ": \(reasons.joined(separator: "; "))")
    case .notFinite(let phase, let term, let step, let value, let origins, let checkpoint):
      "step \(step), phase \(phase): \(term) is \(value.isNaN ? "nan" : "\(value)")"
        + (origins.isEmpty ? ". " : ", first on \(origins.joined(separator: " and ")). ")
        + (checkpoint.map { "The last good checkpoint is \($0)" } ?? "There is no checkpoint yet")
    case .signature(let rank, let host, let differences):
      "rank \(rank) on \(host) differs from rank 0 in "
        + differences.prefix(4).joined(separator: "; ")
        + (differences.count > 4 ? "; and \(differences.count - 4) more" : "")
    case .nothingToResume(let folder):
      "nothing to resume: no checkpoint in \(folder)"
    case .otherRun(let path, let field, let expected, let found):
      "\(path) belongs to another run: \(field) is \(found) there, \(expected) was asked for"
    case .otherImages(let path, let expected, let found):
      "training images: expected those of \(path), \(expected), found \(found)"
    }
  }
}

extension RunState.Images: CustomStringConvertible {
  /// `60 images, digest 1f00aa12`.
  public var description: String { "\(count) images, digest \(digest)" }
}
