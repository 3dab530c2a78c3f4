import LatheFiles
import LatheMetrics

/// A number with the protocol by which it was measured.
public struct Score: Sendable {
  /// A short name, such as `generation/fid-768`.
  public let name: String
  public let value: Double
  /// Standard deviation over repeats, where there are any.
  public let deviation: Double?
  /// The unit or range, and which direction is good.
  public let unit: String
  /// How many samples of what, through which features, treated how.
  public let protocolText: String

  init(
    _ name: String, _ value: Double, deviation: Double? = nil, unit: String, protocolText: String
  ) {
    self.name = name
    self.value = value
    self.deviation = deviation
    self.unit = unit
    self.protocolText = protocolText
  }
}

/// All that an evaluation measured.
public struct Evaluation: Sendable {
  /// In the order in which they are shown.
  public internal(set) var scores: [Score] = []
  /// The precision-recall curve of generated images, where it was asked for.
  public internal(set) var curve: PrecisionRecallCurve?
  /// Covariance of the codes, where it was asked for.
  public internal(set) var latent: LatentStatistics?
  /// Why numbers are to be taken with care, a sentence each.
  public internal(set) var cautions: [String] = []

  /// The score of that name, if it was measured.
  public subscript(name: String) -> Double? { scores.first { $0.name == name }?.value }

  /// Values by name, for a line of `metrics.jsonl`; numbers that are not finite as text.
  public var members: [String: JSONValue] {
    Dictionary(scores.map { ($0.name, .number($0.value)) }, uniquingKeysWith: { $1 })
  }

  /// Everything, for `evaluation.json`.
  public var json: JSONValue {
    var members: [String: JSONValue] = [
      "scores": .array(
        scores.map { score in
          .object(
            [
              "name": .string(score.name), "value": .number(score.value),
              "unit": .string(score.unit), "protocol": .string(score.protocolText),
            ].merging(score.deviation.map { ["deviation": .number($0)] } ?? [:]) { $1 })
        }),
      "cautions": .array(cautions.map { .string($0) }),
    ]
    if let curve {
      members["curve"] = .object([
        "precision": .array(curve.precision.map { .number($0) }),
        "recall": .array(curve.recall.map { .number($0) }),
      ])
    }
    return .object(members)
  }
}

extension JSONValue {
  /// A number as JSON has it; "nan" and "inf" as text, which JSON's numbers lack.
  static func number(_ value: Double) -> JSONValue {
    value.isFinite ? .double(value) : .string("\(value)")
  }

  /// A number's value; nil for anything else.
  public var asDouble: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
