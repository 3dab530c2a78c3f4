import ArgumentParser
import LatheFiles
import LatheNN
import LatheTraining

// Flags are laid over a recipe by their names: a flag `--log-every` gives the setting `log-every`
// of `RunConfiguration`, which says what it means and what it may be.

extension ArgumentHelp {
  /// What a setting of a run says about itself, with its default.
  static func setting(_ name: String) -> ArgumentHelp {
    guard let setting = RunConfiguration.list[name] else { trap("no setting \(name)") }
    return ArgumentHelp(
      stringLiteral: setting.help + words(of: setting) + defaultValue(of: setting))
  }

  /// The words that a setting may be. Those of features come from the program's extractors; those
  /// of metrics stand in the default.
  private static func words(of setting: SettingDescription) -> String {
    switch setting.name {
    case "features": " One of \(FeatureChoice.forms)."
    case "metrics": ""
    default:
      setting.allowedValues.isEmpty
        ? "" : " One of \(setting.allowedValues.joined(separator: ", "))."
    }
  }

  private static func defaultValue(of setting: SettingDescription) -> String {
    switch setting.defaultValue {
    case .null, .string(""), .object: ""
    case .bool(let isOn): " (default: \(isOn ? "yes" : "no"))"
    case .array(let all): " (default: \(all.map(\.text).joined(separator: ", ")))"
    case let value: " (default: \(value.text))"
    }
  }
}

extension RunOverlay {
  /// The settings among a command's flags.
  ///
  /// - Throws: `CommandFailure` for a value that a setting cannot have.
  package init(flags command: Any) throws {
    let list = RunConfiguration.list
    var texts: [String: JSONValue] = [:]
    for (name, text) in givenFlags(command) where list[name] != nil { texts[name] = .string(text) }
    for line in list.renamings(in: texts) { note("--\(line)") }
    do {
      var values: [String: JSONValue] = [:]
      for (name, text) in texts {
        guard let setting = list[name] else { continue }
        values[setting.name] = try setting.accepting(text: text.text)
      }
      self.init(values)
    } catch { throw CommandFailure.usage("--\(error)") }
    guard values["steps"] == nil || values["epochs"] == nil else {
      throw CommandFailure.usage("--steps and --epochs: give one of them")
    }
  }
}

extension SettingDescription {
  /// A value as it is written on the command line: a word, or else what YAML makes of it.
  func accepting(text: String) throws(SettingError) -> JSONValue {
    if let word = try? accepting(.string(text)) { return word }
    let value = try? YAMLText(Array(text.utf8)).value
    do { return try accepting(value ?? .string(text)) } catch {
      throw SettingError(name: error.name, expected: error.expected, found: text)
    }
  }
}

/// The flags that were given, by name, those of option groups too.
private func givenFlags(_ command: Any) -> [(name: String, text: String)] {
  Mirror(reflecting: command).children.flatMap { label, field -> [(name: String, text: String)] in
    if let group = field as? any FlagGroup { return givenFlags(group.flags) }
    guard let flag = field as? any GivenFlag, let text = flag.given, let label else { return [] }
    return [(SettingStyle.kebabCase.name(String(label.dropFirst())), text)]
  }
}

/// A flag whose value is a text, if it was given.
private protocol GivenFlag { var given: String? { get } }

private protocol FlagGroup { var flags: Any { get } }

extension Option: GivenFlag where Value == String? {
  fileprivate var given: String? { wrappedValue }
}

extension Argument: GivenFlag where Value == String? {
  fileprivate var given: String? { wrappedValue }
}

extension Flag: GivenFlag where Value == Bool? {
  fileprivate var given: String? { wrappedValue.map { "\($0)" } }
}

extension OptionGroup: FlagGroup { fileprivate var flags: Any { wrappedValue } }
