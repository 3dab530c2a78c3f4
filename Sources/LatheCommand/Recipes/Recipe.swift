import Foundation
import LatheFiles
import LatheNN
import LatheTraining
import SystemPackage
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
  /// - Throws: `CommandFailure` naming file, line, key, what was expected and found.
  package static func read(_ path: String) throws -> RunOverlay {
    let text = try text(of: path)
    let given = try members(of: text, at: path)
    let list = RunConfiguration.list
    if let unknown = given.keys.sorted().first(where: { list[$0] == nil }) {
      throw CommandFailure.data(
        "\(place(of: unknown, in: text, at: path)): unknown key '\(unknown)'; known are "
          + list.names.sorted().joined(separator: ", ")
      )
    }
    for line in list.renamings(in: given) { note("\(path): \(line)") }
    do { return RunOverlay(try list.accepting(given)) } catch {
      throw CommandFailure.data("\(place(of: error.name, in: text, at: path)): \(error)")
    }
  }

  /// `FILE, line 3` for a key of a recipe.
  static func place(of key: String, in path: String) -> String {
    guard let text = try? text(of: path) else { return path }
    return place(of: key, in: text, at: path)
  }

  private static func place(of key: String, in text: YAMLText, at path: String) -> String {
    let names = [key, RunConfiguration.list[key]?.formerName].compactMap { $0 }
    return names.compactMap { text.lines[$0] }.first.map { "\(path), line \($0)" } ?? path
  }

  private static func text(of path: String) throws -> YAMLText {
    let bytes: [UInt8]
    do throws(FileError) {
      let file = try OpenFile(reading: FilePath(path))
      let size = try file.size()
      bytes = try file.bytes(at: 0, count: min(size, YAMLText.mostBytes + 1))
    } catch { throw CommandFailure.missing("\(path): no readable recipe there: \(error)") }
    do throws(YAMLError) { return try YAMLText(bytes) } catch {
      throw CommandFailure.data("\(path): not YAML: \(error)")
    }
  }

  private static func members(
    of text: YAMLText, at path: String
  ) throws -> [String: JSONValue] {
    guard case .object(let members) = text.value else {
      throw CommandFailure.data(
        "\(path): expected a mapping of settings, found \(text.value.text.prefix(80))")
    }
    try requireEachOnce(members, path)
    let given = RunConfiguration.list.ungrouped(members).mapValues(\.finite)
    guard given["steps"] == nil || given["epochs"] == nil else {
      throw CommandFailure.data("\(path): steps and epochs: give one of them")
    }
    return given
  }

  /// A setting may stand in its group or outside, by its name or its former one, but once.
  private static func requireEachOnce(_ members: [String: JSONValue], _ path: String) throws {
    let list = RunConfiguration.list
    var seen: Set<String> = []
    let names = members.sorted { $0.key < $1.key }.flatMap { name, value in
      list.ungrouped([name: value]).keys.sorted()
    }
    for name in names where !seen.insert(list[name]?.name ?? name).inserted {
      throw CommandFailure.data("\(path): \(list[name]?.name ?? name) is given twice")
    }
  }

  /// A configuration as a recipe; what is left out is left out there, too.
  package static func yaml(of run: RunConfiguration) throws -> String {
    try yaml(of: RunOverlay(RunConfiguration.list.values(of: run)))
  }

  /// Settings as a recipe.
  static func yaml(of settings: RunOverlay) throws -> String {
    try yaml(of: .object(settings.values.filter { $0.value != .null }))
  }

  /// A value in YAML, keys in order.
  static func yaml(of value: JSONValue) throws -> String {
    try serialize(node: value.node, sortKeys: true)
  }
}

extension JSONValue {
  /// The value in YAML, numbers as people write them: 0.9, 0.0001, 1.0e-5.
  fileprivate var node: Node {
    switch self {
    case .null: Node("null", Tag(.null))
    case .bool(let value): value.box()
    case .int(let value): value.box()
    case .double(let value): Node(Self.decimal(value), Tag(.float))
    case .string(let value): value.box()
    case .array(let values): Node(values.map(\.node))
    case .object(let members): Node(members.map { (Node($0.key), $0.value.node) })
    }
  }

  /// Without an exponent from 1e-4 on; the mantissa of others has a point, which some readers of
  /// YAML expect.
  private static func decimal(_ value: Double) -> String {
    let parts = "\(value)".split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return "\(value)" }
    return parts[0] + (parts[0].contains(".") ? "" : ".0") + (exponent < 0 ? "e-" : "e+")
      + "\(abs(exponent))"
  }
}
