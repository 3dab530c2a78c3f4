import LatheFiles

/// A type of settings: it can be read from what somebody wrote in a recipe or on the command line.
public protocol SettingValue: Codable, Sendable {
  /// What is expected, in words: `a whole number`.
  static var expectation: String { get }
  /// The words that it may be, where they can be listed.
  static var allowedValues: [String] { get }
  /// The value that was given; nil if it is none.
  init?(given: JSONValue)
}

extension SettingValue {
  public static var allowedValues: [String] { [] }

  public init?(given: JSONValue) {
    guard let value = try? given.decoded(as: Self.self) else { return nil }
    self = value
  }
}

extension Int: SettingValue {
  public static var expectation: String { "a whole number" }
}

extension UInt64: SettingValue {
  public static var expectation: String { "a whole number of at least 0" }
}

extension Float: SettingValue {
  public static var expectation: String { "a finite number" }
}

extension Double: SettingValue {
  public static var expectation: String { "a finite number" }
}

extension Bool: SettingValue {
  public static var expectation: String { "true or false" }
}

extension String: SettingValue {
  public static var expectation: String { "a word" }

  /// A number is a word, too: a folder may be called 2026.
  public init?(given: JSONValue) {
    switch given {
    case .string, .int, .double, .bool: self = given.text
    case .null, .array, .object: return nil
    }
  }
}

extension Array: SettingValue where Element: SettingValue {
  public static var expectation: String { "a list such as [64, 64]" }

  /// One element alone is a list of one.
  public init?(given: JSONValue) {
    guard case .array(let members) = given else {
      guard let one = Element(given: given) else { return nil }
      self = [one]
      return
    }
    let values = members.compactMap { Element(given: $0) }
    guard values.count == members.count else { return nil }
    self = values
  }
}

extension Optional: SettingValue where Wrapped: SettingValue {
  public static var expectation: String { Wrapped.expectation }
  public static var allowedValues: [String] { Wrapped.allowedValues }

  public init?(given: JSONValue) {
    if given == .null {
      self = .none
    } else {
      guard let value = Wrapped(given: given) else { return nil }
      self = .some(value)
    }
  }
}

/// A setting that is one of some words.
public protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable
where RawValue == String {
  /// Other words for the cases, in small letters: papers' and older versions' names.
  static var synonyms: [String: Self] { get }
}

extension SettingChoice {
  public static var synonyms: [String: Self] { [:] }
  public static var allowedValues: [String] { allCases.map(\.rawValue) }
  public static var expectation: String { "one of \(allowedValues.joined(separator: ", "))" }

  /// Capitals do not count.
  public init?(given: JSONValue) {
    let word = given.text.lowercased()
    guard
      let value = Self.allCases.first(where: { $0.rawValue.lowercased() == word })
        ?? Self.synonyms[word]
    else { return nil }
    self = value
  }
}
