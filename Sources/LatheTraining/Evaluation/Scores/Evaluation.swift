import LatheFiles
import LatheMetrics

/// The scores of a model.
public struct Evaluation: Sendable {
  /// In the order in which they are shown.
  public private(set) var scores: [Score] = []
  /// The precision-recall curve of generated images, where it was asked for.
  public internal(set) var curve: PrecisionRecallCurve?
  /// Why scores are to be read with care, a sentence each.
  public internal(set) var warnings: [String] = []
  /// What was asked for and could not be computed.
  public private(set) var leftOut: [LeftOut] = []

  package init() {}

  /// A metric that could not be computed, and why.
  public struct LeftOut: Sendable {
    public let metric: EvaluationSettings.Metric
    public let reason: String
  }

  /// The score of that name, if there is one.
  public subscript(name: String) -> Double? { scores.first { $0.name == name }?.value }

  /// Adds the scores of a metric; a `ScoreError` leaves it out and says why.
  package mutating func add(
    _ metric: EvaluationSettings.Metric, _ scores: () throws -> [Score]
  ) throws {
    do { self.scores += try scores() } catch let error as ScoreError {
      leaveOut(metric, "\(error)")
    }
  }

  package mutating func leaveOut(_ metric: EvaluationSettings.Metric, _ reason: String) {
    // Distances of generated images and of reconstructions may fail alike.
    guard !leftOut.contains(where: { $0.metric == metric && $0.reason == reason }) else { return }
    leftOut.append(LeftOut(metric: metric, reason: reason))
  }

  /// Adds a sentence on why scores are to be read with care.
  package mutating func warn(_ warning: String) { warnings.append(warning) }

  /// Values by name, for a line of `metrics.jsonl`; numbers that are not finite as text.
  public var members: [String: JSONValue] {
    Dictionary(scores.map { ($0.name, .number($0.value)) }, uniquingKeysWith: { $1 })
  }

  /// Everything, for `evaluation.json`.
  public var json: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "scores": .array(scores.map(\.json)), "warnings": .array(warnings.map { .string($0) }),
      "left out": .object(
        Dictionary(
          leftOut.map { ($0.metric.rawValue, .string($0.reason)) }, uniquingKeysWith: { $1 })),
    ]
    if let curve {
      members["curve"] = .object([
        "precision": .array(curve.precision.map { .number($0) }),
        "recall": .array(curve.recall.map { .number($0) }),
      ])
    }
    return members
  }
}
