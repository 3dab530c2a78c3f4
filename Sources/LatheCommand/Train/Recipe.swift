import Foundation
import LatheFiles
import LatheNN
import LatheTraining
import Yams

extension JSONValue {
  /// The value with words in place of numbers that JSON does not have, for settings to refuse.
  var finite: JSONValue {
    switch self {
    case .double(let number) where !number.isFinite: .string("\(number)")
    case .array(let members): .array(members.map(\.finite))
    case .object(let members): .object(members.mapValues(\.finite))
    default: self
    }
  }
}

/// Settings of a run in a YAML file. A run's own `config.yml` is a complete recipe.
package enum Recipe {
  /// A run's own recipe, in its folder.
  static let fileName = "config.yml"

  /// What a recipe gives; old names are read, and lines say the new ones.
  ///
  /// - Throws: `CommandFailure` naming file, key, what was expected and found.
  package static func read(_ path: String) throws -> RunOverlay {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw CommandFailure.missing("\(path): no readable recipe there")
    }
    let given = try members(of: text, at: path)
    let list = RunConfiguration.list
    if let unknown = given.keys.sorted().first(where: { list[$0] == nil }) {
      throw CommandFailure.data(
        "\(path): unknown key '\(unknown)'; known are "
          + list.names.sorted().joined(separator: ", ")
      )
    }
    for line in list.renamings(in: given) { note("\(path): \(line)") }
    do { return RunOverlay(try list.accepting(given)) } catch {
      throw CommandFailure.data("\(path): \(error)")
    }
  }

  private static func members(of text: String, at path: String) throws -> [String: JSONValue] {
    let value: JSONValue
    do { value = try YAMLDecoder().decode(JSONValue.self, from: text) } catch {
      throw CommandFailure.data("\(path): not YAML: \(message(of: error))")
    }
    guard case .object(let members) = value else {
      throw CommandFailure.data("\(path): expected a mapping of settings, found \(value.text)")
    }
    let given = RunConfiguration.list.ungrouped(members).mapValues(\.finite)
    guard given["steps"] == nil || given["epochs"] == nil else {
      throw CommandFailure.data("\(path): steps and epochs: give one of them")
    }
    return given
  }

  /// A configuration as a recipe; what is left out is left out there, too.
  package static func yaml(of run: RunConfiguration) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    let values = try RunConfiguration.list.values(of: run).filter { $0.value != .null }
    return try encoder.encode(JSONValue.object(values))
  }
}
