import Foundation
import LatheFiles
import Yams

// Goals, in order:
// 1. Any bytes give a value or an error, in little time and memory: recipes come from strangers.
// 2. Errors name line and key.
// 3. What people write in YAML is read: comments, anchors and merged mappings too.

/// Why a text is not read as YAML, and where.
struct YAMLError: Error, CustomStringConvertible {
  let line: Int?
  let reason: String

  var description: String { line.map { "line \($0): \(reason)" } ?? reason }
}

/// A YAML document, read within bounds.
struct YAMLText {
  /// Bytes of a text; a complete recipe has about 1,500.
  static let mostBytes = 1 << 16
  /// Values in a document once its aliases are expanded.
  static let mostValues = 10_000
  private static let deepest = 32
  /// Asterisks outside of comments: each may be an alias, and aliases of aliases multiply.
  private static let mostAliases = 16

  let value: JSONValue
  /// The lines of the keys, those of inner mappings too; of the first if there are several.
  let lines: [String: Int]

  /// - Throws: `YAMLError`.
  init(_ bytes: [UInt8]) throws(YAMLError) {
    let text = try YAMLText.checked(bytes)
    guard let root = try YAMLText.composed(text) else {
      (value, lines) = (.null, [:])
      return
    }
    var reader = Reader()
    value = try reader.value(of: root, depth: 0)
    lines = reader.lines
  }

  /// The text, if it is UTF-8 and within the bounds that can be seen without reading it.
  private static func checked(_ bytes: [UInt8]) throws(YAMLError) -> String {
    guard bytes.count <= mostBytes else {
      throw YAMLError(
        line: nil, reason: "expected at most \(mostBytes) bytes, found \(bytes.count)")
    }
    guard let text = decoded(bytes) else {
      let line = bytes.split(separator: 10, omittingEmptySubsequences: false)
        .firstIndex { String(validating: $0, as: UTF8.self) == nil }
      throw YAMLError(line: line.map { $0 + 1 }, reason: "expected UTF-8, found other bytes")
    }
    let aliases = text.utf8.split(separator: 10).reduce(0) { sum, line in
      let isComment = line.first { $0 != 0x20 && $0 != 9 } == UInt8(ascii: "#")
      return sum + (isComment ? 0 : line.count { $0 == UInt8(ascii: "*") })
    }
    guard aliases <= mostAliases else {
      throw YAMLError(
        line: nil, reason: "expected at most \(mostAliases) aliases, found \(aliases) asterisks")
    }
    return text
  }

  /// Text in UTF-8, or in UTF-16 with a byte order mark, as Windows' programs write it.
  private static func decoded(_ bytes: [UInt8]) -> String? {
    switch bytes.prefix(2) {
    case [0xFF, 0xFE], [0xFE, 0xFF]: return String(bytes: bytes, encoding: .utf16)
    default:
      let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
      return String(validating: bytes.dropFirst(hasMark ? 3 : 0), as: UTF8.self)
    }
  }

  private static func composed(_ text: String) throws(YAMLError) -> Node? {
    do { return try Yams.compose(yaml: text) } catch let error as YamlError {
      throw YAMLError(error)
    } catch { throw YAMLError(line: nil, reason: "\(error)") }
  }
}

extension YAMLText {
  /// Makes values of nodes, and counts them.
  private struct Reader {
    var lines: [String: Int] = [:]
    private var count = 0

    mutating func value(of node: Node, depth: Int) throws(YAMLError) -> JSONValue {
      let line = node.mark?.line
      count += 1
      guard count <= mostValues, depth <= deepest else {
        throw YAMLError(
          line: line, reason: "expected at most \(mostValues) values in \(deepest) levels")
      }
      let tag = node.tag.description
      guard readTags.contains(tag) else {
        throw YAMLError(line: line, reason: "the tag \(tag.prefix(80)) is not read")
      }
      switch node {
      case .scalar(let text): return try scalar(node, text.string)
      case .sequence(let elements):
        var values: [JSONValue] = []
        for element in elements { values.append(try value(of: element, depth: depth + 1)) }
        return .array(values)
      case .mapping(let mapping): return .object(try members(of: mapping, depth: depth + 1))
      case .alias: throw YAMLError(line: line, reason: "an alias without its anchor")
      }
    }

    /// A number, a truth value or a word. The words yes, no, on and off stay words, for the
    /// settings to understand: a folder may be called so.
    private func scalar(_ node: Node, _ text: String) throws(YAMLError) -> JSONValue {
      let value = (try? YAMLDecoder().decode(JSONValue.self, from: node)) ?? .string(text)
      switch value {
      case .bool where !["true", "false"].contains(text.lowercased()): return .string(text)
      case .int, .double:
        let digits = text.drop { "+-".contains($0) }
        let isOctal =
          digits.count > 1 && digits.allSatisfy { $0.isNumber || $0 == "_" }
          && digits.hasPrefix("0")
        guard !isOctal, !text.contains(":") else {
          throw YAMLError(
            line: node.mark?.line,
            reason:
              "\(text) is \(value.text) to some readers of YAML and not to others: write it so")
        }
      default: break
      }
      return value
    }

    private mutating func members(
      of mapping: Node.Mapping, depth: Int
    ) throws(YAMLError) -> [String: JSONValue] {
      var members: [String: JSONValue] = [:]
      var merged: [String: JSONValue] = [:]
      for (key, node) in mapping {
        guard case .scalar(let name) = key else {
          throw YAMLError(line: key.mark?.line, reason: "expected a word as a key")
        }
        lines[name.string] = lines[name.string] ?? key.mark?.line
        let value = try value(of: node, depth: depth)
        if key.tag.description == Tag.Name.merge.rawValue {
          merged.merge(YAMLText.merged(value)) { first, _ in first }
        } else {
          members[name.string] = value
        }
      }
      return merged.merging(members) { $1 }
    }
  }

  /// The members that `<<` brings: of a mapping, or of several, the first of which count.
  private static func merged(_ value: JSONValue) -> [String: JSONValue] {
    switch value {
    case .object(let members): members
    case .array(let all): all.reduce(into: [:]) { $0.merge(merged($1)) { first, _ in first } }
    default: [:]
    }
  }

  /// The tags of JSON's types, and those that words have which look like something else.
  private static let readTags: Set<String> = Set(
    [Tag.Name.null, .bool, .int, .float, .str, .seq, .map, .timestamp, .value, .merge]
      .map(\.rawValue))
}

extension YAMLError {
  fileprivate init(_ error: YamlError) {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let around = context.map { "\($0.text.trimmingPrefix("error ")): " } ?? ""
      self.init(line: mark.line, reason: around + problem)
    case .reader(let problem, _, _, _): self.init(line: nil, reason: problem)
    case .duplicatedKeysInMapping(let keys, let context):
      self.init(line: context.mark.line, reason: "the key '\(keys.first ?? "")' stands there twice")
    default: self.init(line: nil, reason: "no YAML")
    }
  }
}
