import LatheFiles

/// A number with the protocol by which it was computed.
public struct Score: Sendable {
  /// A short name, such as `generation/fid-768`.
  public let name: String
  public let value: Double
  /// Over repeats, where there are any.
  public let standardDeviation: Double?
  /// The unit or range, and which direction is good.
  public let unit: String
  /// How many samples of what.
  public let samples: String
  /// What scores of one evaluation have in common: reference, features, preprocessing; nil where
  /// ``samples`` says all.
  public let conditions: String?

  package init(
    _ name: String, _ value: Double, standardDeviation: Double? = nil, unit: String,
    samples: String, conditions: String? = nil
  ) {
    (self.name, self.value, self.standardDeviation) = (name, value, standardDeviation)
    (self.unit, self.samples, self.conditions) = (unit, samples, conditions)
  }

  /// The whole protocol in one line.
  public var protocolText: String { samples + (conditions.map { "; " + $0 } ?? "") }

  /// For `evaluation.json`.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "value": .number(value), "unit": .string(unit),
      "protocol": .string(protocolText),
    ]
    members["standard deviation"] = standardDeviation.map { .number($0) }
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
