import LatheFiles

/// A field of a configuration, declared once: its default, what it means, and what it may be.
///
/// ```swift
/// @Setting("Images in a step's global batch.", bounds: .atLeast(1)) public var batch = 128
/// ```
///
/// The struct around it is `Codable`: a setting is coded as its value. What is said about it is
/// read from an instance made by `init()`, see ``SettingList``; a decoded instance has the values
/// only.
@propertyWrapper public struct Setting<Value: SettingValue>: Sendable {
  public var wrappedValue: Value
  /// What is said about the setting.
  let help: String
  let name: String?
  let bounds: Bounds<Value>?
  let identity: SettingIdentity
  let formerName: String?

  /// `called` is the name in recipes and on the command line, where it is not the field's;
  /// `formerly` is the name in older recipes and checkpoints.
  public init(
    wrappedValue: Value, _ help: String, called name: String? = nil, bounds: Bounds<Value>? = nil,
    identity: SettingIdentity = .run, formerly formerName: String? = nil
  ) {
    self.wrappedValue = wrappedValue
    self.help = help
    self.name = name
    self.bounds = bounds
    self.identity = identity
    self.formerName = formerName
  }
}

extension Setting where Value: ExpressibleByNilLiteral {
  /// A setting that is left out unless it is given.
  public init(
    _ help: String, called name: String? = nil, bounds: Bounds<Value>? = nil,
    identity: SettingIdentity = .run, formerly: String? = nil
  ) {
    self.init(
      wrappedValue: nil, help, called: name, bounds: bounds, identity: identity,
      formerly: formerly)
  }
}

/// Who must have the same value of a setting.
public enum SettingIdentity: Sendable {
  /// All ranks, and a resumed run and its checkpoint: it decides what is computed.
  case run
  /// All ranks; a checkpoint records it, a resumed run may have another.
  case recorded
  /// All ranks; a resumed run may have another.
  case ranks
  /// Nobody.
  case free
}

extension Setting: Codable {
  public init(from decoder: any Decoder) throws {
    self.init(wrappedValue: try decoder.singleValueContainer().decode(Value.self), "")
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

extension Setting: Equatable where Value: Equatable {
  public static func == (a: Self, b: Self) -> Bool { a.wrappedValue == b.wrappedValue }
}

/// A struct of settings inside another.
public protocol SettingGroup: Codable, Sendable {}

/// A setting whose type is not known.
protocol AnySetting: Sendable {
  var help: String { get }
  var name: String? { get }
  var identity: SettingIdentity { get }
  var formerName: String? { get }
  var expectation: String { get }
  var allowedValues: [String] { get }
  var isBoolean: Bool { get }
  /// The present word for one that older versions used; nil for others.
  func presentWord(for given: JSONValue) -> String?
  /// The value that was given as it is stored; the error says what was expected.
  func accepting(_ given: JSONValue) throws(SettingError) -> JSONValue
}

extension Setting: AnySetting {
  var expectation: String {
    [Value.expectation, bounds?.text].compactMap { $0 }.filter { !$0.isEmpty }
      .joined(separator: ", ")
  }

  var allowedValues: [String] { Value.allowedValues }

  func presentWord(for given: JSONValue) -> String? { Value.presentWord(for: given) }

  var isBoolean: Bool { Value.self == Bool.self || Value.self == Bool?.self }

  func accepting(_ given: JSONValue) throws(SettingError) -> JSONValue {
    guard let value = Value(given: given), bounds?.holds(value) ?? true,
      let stored = try? JSONValue(encoding: value)
    else { throw SettingError(expected: expectation, found: given.text) }
    return stored
  }
}

/// Why a value does not suit a setting.
public struct SettingError: Error, Equatable, CustomStringConvertible {
  /// The setting; empty where it is not known yet.
  public var name = ""
  public let expected: String
  /// The value that was given, as it was written.
  public let found: String

  public init(name: String = "", expected: String, found: String) {
    self.name = name
    self.expected = expected
    self.found = found
  }

  /// `batch: expected a whole number, at least 1, found -3`.
  public var description: String { "\(name): expected \(expected), found \(found)" }
}
