import LatheFiles

/// A type of settings: it can be read from what somebody wrote in a recipe or on the command line.
public protocol SettingValue: Codable, Sendable {
  /// What is expected, in words: `a whole number`.
  static var expectation: String { get }
  /// The words that it may be, where they can be listed.
  static var allowedValues: [String] { get }
  /// The value that was given; nil if it is none.
  init?(given: JSONValue)
  /// The present word for one that older versions used; nil for others.
  static func presentWord(for given: JSONValue) -> String?
}

extension SettingValue {
  public static var allowedValues: [String] { [] }
  public static func presentWord(for given: JSONValue) -> String? { nil }

  public init?(given: JSONValue) {
    guard let value = try? given.decoded(as: Self.self) else { return nil }
    self = value
  }
}

extension Int: SettingValue {
  public static var expectation: String { "a whole number" }
}

extension UInt64: SettingValue {
  public static var expectation: String { "a whole number" }
}

extension Float: SettingValue {
  public static var expectation: String { "a finite number" }
}

extension Double: SettingValue {
  public static var expectation: String { "a finite number" }
}

extension Bool: SettingValue {
  public static var expectation: String { "true or false" }

  /// YAML's words for it are understood, too.
  public init?(given: JSONValue) {
    switch (given, given.text.lowercased()) {
    case (.bool(let isOn), _): self = isOn
    case (.string, "true"), (.string, "yes"), (.string, "on"): self = true
    case (.string, "false"), (.string, "no"), (.string, "off"): self = false
    default: return nil
    }
  }
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
  public static var expectation: String {
    allowedValues.isEmpty
      ? "a list such as [64, 64]" : "some of \(allowedValues.joined(separator: ", "))"
  }

  public static var allowedValues: [String] { Element.allowedValues }

  public static func presentWord(for given: JSONValue) -> String? {
    let words = Self.words(given)
    let present = words.map { Element.presentWord(for: $0) }
    guard present.contains(where: { $0 != nil }) else { return nil }
    return zip(present, words).map { $0 ?? $1.text }.joined(separator: ",")
  }

  /// The elements that were given: of a list, or words between commas.
  private static func words(_ given: JSONValue) -> [JSONValue] {
    switch given {
    case .array(let members): members
    case .string(let text):
      text.split(separator: ",").map { .string(String($0.trimmingPrefix(while: \.isWhitespace))) }
    default: [given]
    }
  }

  /// One element alone is a list of one; words may stand between commas.
  public init?(given: JSONValue) {
    let words = Self.words(given)
    let values = words.compactMap { Element(given: $0) }
    guard values.count == words.count else { return nil }
    self = values
  }
}

extension Optional: SettingValue where Wrapped: SettingValue {
  public static var expectation: String { Wrapped.expectation }
  public static var allowedValues: [String] { Wrapped.allowedValues }
  public static func presentWord(for given: JSONValue) -> String? {
    Wrapped.presentWord(for: given)
  }

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

  /// Capitals do not count; YAML reads the words on and off as true and false.
  public init?(given: JSONValue) {
    let word =
      switch given {
      case .bool(let isOn): isOn ? "on" : "off"
      default: given.text.lowercased()
      }
    guard
      let value = Self.allCases.first(where: { $0.rawValue.lowercased() == word })
        ?? Self.synonyms[word]
    else { return nil }
    self = value
  }
}

/// A mapping, such as a model's hyperparameters.
extension JSONValue: SettingValue {
  public static var expectation: String { "a mapping" }

  public init?(given: JSONValue) {
    guard case .object = given else { return nil }
    self = given
  }
}
