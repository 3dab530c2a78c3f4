import LatheDistributed
import LatheFiles
import LatheData
import Foundation
import LatheKernels
import LatheModels
import LatheTraining
import Yams

/// Settings of a run from a YAML file; what it leaves out is nil.
///
/// A run's own `config.yml` is a complete recipe.
struct Recipe: Codable {
  /// A run's own recipe, in its folder.
  static let fileName = "config.yml"

  var model, dataset, data: String?
  var steps, epochs, batch, slices: Int?
  var seed: UInt64?
  var threads: Int?
  var sampling: Sampling?
  var precision: Precision?
  var sampler: Sampler.Name?
  var batchStatistics: BatchStatistics?
  var overlap: Overlap?
  /// How pictures are cropped, resized and mirrored.
  var crop, size: Int?
  var filter: ResizeFilter?
  var flip: Bool?
  var checkpointEvery, sampleEvery, logEvery: Int?
  /// How the run measures itself, and on how many images held back.
  var evaluateEvery, validation: Int?
  var evaluation: EvaluationRecipe?
  /// The model's hyperparameters, a mapping.
  var configuration: JSONValue?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case model, dataset, data, steps, epochs, batch, slices, seed, threads, sampling, precision,
      sampler
    case crop, size, filter, flip, configuration, validation, evaluation, overlap
    case batchStatistics = "batch-statistics"
    case evaluateEvery = "evaluate-every"
    case checkpointEvery = "checkpoint-every"
    case sampleEvery = "sample-every"
    case logEvery = "log-every"
  }

  /// How training images are drawn.
  enum Sampling: String, Codable, CaseIterable {
    case shuffle, replacement
  }

  init() {}

  /// - Throws: `CommandFailure` naming file, line or key, what was expected and found.
  init(reading path: String) throws {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw CommandFailure.missing("\(path): no readable recipe there")
    }
    let value: JSONValue
    do { value = try YAMLDecoder().decode(JSONValue.self, from: text) } catch {
      throw CommandFailure.data("\(path): not YAML: \(error)")
    }
    guard case .object(let members) = value else {
      throw CommandFailure.data("\(path): expected a mapping of settings, found \(value.text)")
    }
    try requireKnown(members.keys, among: CodingKeys.allCases.map(\.rawValue), in: path)
    if case .object(let evaluation) = members["evaluation"] {
      try requireKnown(
        evaluation.keys, among: EvaluationRecipe.CodingKeys.allCases.map(\.rawValue),
        in: "\(path), evaluation")
    }
    do { self = try value.decoded(as: Recipe.self) } catch {
      throw CommandFailure.data("\(path): \(explain(error))")
    }
  }

  /// The recipe as YAML.
  var yaml: String {
    get throws {
      let encoder = YAMLEncoder()
      encoder.options.sortKeys = true
      return try encoder.encode(JSONValue(encoding: self))
    }
  }
}

extension Precision: Codable {}

/// A recipe's mapping of hyperparameters, overlaid by `key=value` settings.
func givenHyperparameters(_ recipe: JSONValue?, settings: [String]) throws -> [String: JSONValue] {
  var members: [String: JSONValue] = [:]
  if let recipe {
    guard case .object(let given) = recipe else {
      throw CommandFailure.data("configuration: expected a mapping, found \(recipe.text)")
    }
    members = given
  }
  for setting in settings {
    let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw CommandFailure.usage("--set \(setting): expected key=value")
    }
    members[parts[0]] =
      (try? YAMLDecoder().decode(JSONValue.self, from: parts[1])) ?? .string(parts[1])
  }
  return members
}

private func requireKnown(
  _ keys: some Sequence<String>, among known: [String], in place: String, status: Int32 = 65
) throws {
  guard let unknown = keys.sorted().first(where: { !known.contains($0) }) else { return }
  throw CommandFailure(
    description:
      "\(place): unknown key '\(unknown)'; known are \(known.sorted().joined(separator: ", "))",
    status: status)
}

/// A decoding error in the form: key, expected, found.
func explain(_ error: any Error) -> String {
  guard let error = error as? DecodingError else { return "\(error)" }
  switch error {
  case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
    let path = context.codingPath.map(\.stringValue).joined(separator: ".")
    return "\(path): \(context.debugDescription)"
  case .keyNotFound(let key, _): return "\(key.stringValue): missing"
  @unknown default: return "\(error)"
  }
}
