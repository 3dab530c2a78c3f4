import Foundation
import LatheFiles

/// What is known of one setting of a configuration.
public struct SettingDescription: Sendable {
  /// How it is called in recipes and on the command line.
  public let name: String
  /// Where it is among the coded members: `["output", "checkpointEvery"]`.
  let path: [String]
  /// What it means, one sentence or more; empty if nothing is said.
  public let help: String
  public let defaultValue: JSONValue
  /// What is expected, in words: `a whole number, at least 1`.
  public let expectation: String
  /// The words that it may be, where they can be listed.
  public let allowedValues: [String]
  public let identity: SettingIdentity
  public let isBoolean: Bool
  /// What it was called in older recipes and checkpoints.
  public let formerName: String?
  private let present: @Sendable (JSONValue) -> String?
  private let accept: @Sendable (JSONValue) throws(SettingError) -> JSONValue

  fileprivate init(_ name: String, _ path: [String], _ field: Any, _ value: JSONValue) {
    self.name = name
    self.path = path
    defaultValue = value
    let setting = field as? any AnySetting
    help = setting?.help ?? ""
    expectation = setting?.expectation ?? ""
    allowedValues = setting?.allowedValues ?? []
    identity = setting?.identity ?? .run
    isBoolean = setting?.isBoolean ?? false
    formerName = setting?.formerName
    present = { setting?.presentWord(for: $0) }
    accept = { (given) throws(SettingError) in try setting?.accepting(given) ?? given }
  }

  /// What was given by a former name or in a former word: `sample-every is now called
  /// preview-every`; nil where nothing was renamed.
  public func renaming(of given: (name: String, value: JSONValue)) -> String? {
    if given.name != name { return "\(given.name) is now called \(name)" }
    return present(given.value).map { "\(name) \(given.value.text) is now called \($0)" }
  }

  /// The value that was given, as it is stored.
  ///
  /// - Throws: `SettingError` with the value as it was given, if it is of another type or out of
  ///   bounds.
  public func accepting(_ given: JSONValue) throws(SettingError) -> JSONValue {
    do { return try accept(given) } catch {
      throw SettingError(name: name, expected: error.expected, found: error.found)
    }
  }
}

/// The settings of a configuration: an instance made by `init()` says which there are.
///
/// Values travel as a mapping from names to JSON, laid over one another and decoded once. Fields
/// that are no ``Setting`` take part, too, without help and bounds.
public struct SettingList<Configuration: Codable>: Sendable {
  /// In the order of their declaration.
  public let settings: [SettingDescription]
  /// The groups' names, and those of the settings in each.
  private let groups: [String: Set<String>]
  private let defaults: JSONValue

  /// The settings that `prototype` declares; its values are the defaults.
  public init(of prototype: Configuration, _ style: SettingStyle = .asWritten) throws {
    defaults = try JSONValue(encoding: prototype)
    settings = Self.fields(of: prototype, defaults, path: []).map { path, field, value in
      let name = (field as? any AnySetting)?.name ?? style.name(path.last!)
      return SettingDescription(name, path, field, value)
    }
    groups = Dictionary(
      grouping: settings.filter { $0.path.count > 1 }, by: { style.name($0.path[0]) }
    ).mapValues { Set($0.map(\.name)) }
    let names = settings.map(\.name)
    require(Set(names).count == names.count, "SettingList: one name twice in \(names)")
  }

  public var names: [String] { settings.map(\.name) }

  /// The setting of that name, or of that former name.
  public subscript(name: String) -> SettingDescription? {
    settings.first { $0.name == name } ?? settings.first { $0.formerName == name }
  }

  /// The values of a configuration by name.
  public func values(of configuration: Configuration) throws -> [String: JSONValue] {
    let coded = try JSONValue(encoding: configuration)
    return Dictionary(
      uniqueKeysWithValues: settings.map { setting in
        (setting.name, setting.path.reduce(coded) { $0[$1] ?? .null })
      })
  }

  /// What was given without the groups around it: `{output: {log-every: 5}}` is `{log-every: 5}`.
  public func ungrouped(_ given: [String: JSONValue]) -> [String: JSONValue] {
    given.reduce(into: [:]) { flat, member in
      if case .object(let inner) = member.value, let names = groups[member.key],
        inner.keys.allSatisfy({ names.contains(self[$0]?.name ?? "") })
      {
        flat.merge(inner) { $1 }
      } else {
        flat[member.key] = member.value
      }
    }
  }

  /// What was given by a former name or in a former word, as lines to be shown.
  public func renamings(in given: [String: JSONValue]) -> [String] {
    given.sorted { $0.key < $1.key }.compactMap { name, value in
      self[name]?.renaming(of: (name, value))
    }
  }

  /// The values that `include` chooses, by name, those that are left out excepted.
  ///
  /// The members of a mapping stand by themselves, each under its own name.
  public func fields(
    of configuration: Configuration, where include: (SettingIdentity) -> Bool
  ) throws -> [(name: String, value: JSONValue)] {
    let values = try values(of: configuration)
    return settings.filter { include($0.identity) }.flatMap { setting in
      guard case .object(let members) = values[setting.name] else {
        return [(setting.name, values[setting.name] ?? .null)]
      }
      return members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
  }

  /// What was given by name as it is stored, each value checked at its setting.
  ///
  /// - Throws: `SettingError`; also for names that there are not.
  public func accepting(_ given: [String: JSONValue]) throws(SettingError) -> [String: JSONValue] {
    var accepted: [String: JSONValue] = [:]
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard let setting = self[name] else {
        throw SettingError(
          name: name, expected: "one of the settings \(names.sorted().joined(separator: ", "))",
          found: "'\(name)'")
      }
      accepted[setting.name] = try setting.accepting(value)
    }
    return accepted
  }

  /// The configuration with what was given in place of defaults.
  ///
  /// - Throws: `SettingError`, or `DecodingError` where a field that is no ``Setting`` has another
  ///   type.
  public func configuration(with given: [String: JSONValue]) throws -> Configuration {
    let accepted = try accepting(given)
    var coded = defaults
    for setting in settings {
      if let value = accepted[setting.name] { coded.set(setting.path[...], to: value) }
    }
    return try coded.decoded(as: Configuration.self)
  }

  /// Path, field and default of each setting, groups opened.
  private static func fields(of value: Any, _ coded: JSONValue, path: [String])
    -> [([String], Any, JSONValue)]
  {
    Mirror(reflecting: value).children.flatMap { label, field -> [([String], Any, JSONValue)] in
      guard let label else { return [] }
      let name = field is any AnySetting ? String(label.dropFirst()) : label
      let member = coded[name] ?? .null
      if field is any SettingGroup { return fields(of: field, member, path: path + [name]) }
      return [(path + [name], field, member)]
    }
  }
}

/// How names are made of the fields' names.
public enum SettingStyle: Sendable {
  /// `checkpointEvery` stays as it is.
  case asWritten
  /// `checkpointEvery` is called `checkpoint-every`.
  case kebabCase

  /// The name of a field.
  public func name(_ field: String) -> String {
    guard self == .kebabCase else { return field }
    return field.reduce(into: "") { name, letter in
      name += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
    }
  }
}

extension JSONValue {
  /// Replaces the member at a path, whose groups exist.
  fileprivate mutating func set(_ path: ArraySlice<String>, to value: JSONValue) {
    guard let first = path.first, case .object(var members) = self else { return self = value }
    members[first, default: .object([:])].set(path.dropFirst(), to: value)
    self = .object(members)
  }
}
