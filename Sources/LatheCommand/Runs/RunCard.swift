import Foundation
import LatheFiles
import LatheModels
import LatheTraining

/// The model card of a run: metadata in YAML, then Markdown.
///
/// The form is Hugging Face's, https://huggingface.co/docs/hub/model-cards; scores stand in
/// `model-index`, each with the protocol that `evaluation.json` has for it.
struct RunCard {
  let run: RunSummary
  let license: String?
  private static let task = "unconditional-image-generation"

  /// - Throws: an error of Yams'.
  func text() throws -> String {
    let yaml = try Recipe.yaml(of: .object(metadata))
    let parts = [about, use, scores, settings, origin]
    return "---\n\(yaml)---\n\n# \(Self.prose(name))\n\n" + parts.joined(separator: "\n")
  }

  private var name: String { run.folder.lastComponent?.string ?? run.folder.string }
  private var model: String { run.text("model") }
  private var dataset: String { run.text("dataset") }

  // MARK: Metadata

  private var metadata: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "library_name": .string("lathe"), "pipeline_tag": .string(Self.task),
      "tags": .array(["autoencoder", model].map { .string($0.printable) }),
      "datasets": .array([.string(Self.hubNames[dataset] ?? dataset.printable)]),
    ]
    members["license"] = license.map { .string($0) }
    let metrics = measured.compactMap(metric)
    if !metrics.isEmpty {
      let names = Set(measured.map { Self.kind($0.name) }).sorted()
      members["metrics"] = .array(names.map { .string($0) })
      members["model-index"] = .array([index(metrics)])
    }
    return members
  }

  /// What Hugging Face's hub calls the data sets that it has.
  private static let hubNames = [
    "mnist": "ylecun/mnist", "fashion-mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
  ]

  private func index(_ metrics: [JSONValue]) -> JSONValue {
    let dataset: [String: JSONValue] = [
      "name": .string(dataset.printable),
      "type": .string(Self.hubNames[dataset] ?? dataset.printable),
      "split": .string((run.evaluation?["reference"]?.text ?? "test").printable),
    ]
    let result: [String: JSONValue] = [
      "task": .object(["type": .string(Self.task)]), "dataset": .object(dataset),
      "metrics": .array(metrics),
    ]
    return .object(["name": .string(name.printable), "results": .array([.object(result)])])
  }

  private func metric(_ score: MeasuredScore) -> JSONValue? {
    guard let value = score.value else { return nil }
    return .object([
      "type": .string(Self.kind(score.name)), "name": .string(score.name), "value": .double(value),
      "args": .object(["unit": .string(score.unit), "protocol": .string(score.conditions)]),
    ])
  }

  /// A score's name as an identifier: "proxy distance" becomes proxy-distance.
  private static func kind(_ name: String) -> String {
    name.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }

  // MARK: Text

  private var about: String {
    let entry = Registered.models[model]
    let known = entry.map { "\($0.summary). \($0.source)\n" } ?? ""
    return """
      \(Self.prose(model)) on \(Self.prose(dataset)), trained with lathe for \
      \(grouped(run.step)) steps.

      \(known)
      """
  }

  private var use: String {
    let folder = Self.code(name)
    return """
      ## Use

          lathe sample \(folder) --count 100
          lathe reconstruct \(folder) --data DIR
          lathe encode \(folder) --data DIR --out codes.npz

      """
  }

  private var measured: [MeasuredScore] { run.measuredScores }

  private var scores: String {
    guard !measured.isEmpty else {
      return "## Scores\n\nNone are recorded: `lathe evaluate` measures them.\n"
    }
    let rows = measured.map { score in
      [score.name, score.text, score.unit, score.conditions]
    }
    let checkpoint = run.evaluation?["step"]?.text ?? "?"
    let split = run.evaluation?["reference"]?.text ?? "?"
    return """
      ## Scores

      After step \(Self.prose(checkpoint)), compared with the \(Self.prose(split)) split.

      \(Self.table(["score", "value", "unit", "protocol"], rows))
      """
  }

  private var settings: String {
    let rows = run.settings.filter { $0.value != .null }.sorted { $0.key < $1.key }
      .filter { !["data", "cache", "timeline"].contains($0.key) }.map { [$0.key, $0.value.text] }
    return "## Settings\n\n" + Self.table(["setting", "value"], rows)
  }

  private var origin: String {
    let writer = run.evaluation?["written by"]?.text
    let evaluated = writer.map { " The scores are from \(Self.prose($0))." } ?? ""
    return "Written by lathe \(version).\(evaluated)\n"
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    let rule = head.map { _ in "---" }
    return ([head, rule] + rows.map { $0.map(prose) }).map { cells in
      "| " + cells.joined(separator: " | ") + " |\n"
    }.joined()
  }

  /// Text from a file that is nothing but text in Markdown, on one line.
  static func prose(_ text: String) -> String {
    text.printable.map { character in
      "\\`*_[]<>|&#".contains(character) ? "\\\(character)" : "\(character)"
    }.joined()
  }

  /// A word of a shell's command in an indented block.
  private static func code(_ text: String) -> String {
    let isPlain = text.wholeMatch(of: #/[A-Za-z0-9_.\/-]+/#) != nil
    return isPlain ? text : "'" + text.printable.replacing("'", with: "'\\''") + "'"
  }
}

/// A score of an evaluation, as `evaluation.json` has it.
struct MeasuredScore {
  let name, text, unit, conditions: String
  /// nil where it is not finite.
  let value: Double?

  init?(_ json: JSONValue) {
    guard let name = json["name"], let value = json["value"] else { return nil }
    self.name = name.text.printable
    self.value = value.asDouble
    text = value.asDouble.map(shortNumber) ?? value.text
    unit = (json["unit"]?.text ?? "").printable
    conditions = (json["protocol"]?.text ?? "").printable
  }
}

extension RunSummary {
  /// The newest evaluation in `evaluation.json`; nil if there is none.
  var evaluation: JSONValue? {
    guard let bytes = try? FileSystem.contents(of: folder.appending("evaluation.json")),
      let value = try? JSONReader.value(of: bytes),
      case .array(let evaluations)? = value["evaluations"]
    else { return nil }
    return evaluations.last
  }

  /// Its scores.
  var measuredScores: [MeasuredScore] {
    guard case .array(let scores)? = evaluation?["scores"] else { return [] }
    return scores.compactMap { MeasuredScore($0) }
  }
}
