import Foundation
import LatheFiles
import LatheTraining
import SystemPackage

/// What a run's folder says about it, without a look at its parameters.
struct RunSummary {
  let folder: FilePath
  /// The settings of `config.yml`, and the model's hyperparameters, by name.
  let settings: [String: JSONValue]
  /// The lines of `metrics.jsonl` that count.
  let records: [[String: JSONValue]]
  /// The steps of its checkpoints, ascending.
  let checkpoints: [Int]
  /// What is known of the best checkpoint.
  let best: RunState.Best?

  /// The run in a folder; nil if there is none.
  init?(_ folder: FilePath) {
    self.folder = folder
    let steps = try? CheckpointStore(reading: folder.appending("checkpoints")).steps()
    let config = folder.appending(Recipe.fileName)
    guard steps?.isEmpty == false || FileSystem.isFile(config) else { return nil }
    checkpoints = steps ?? []
    var settings = RunSummary.settings(config, folder.appending("checkpoints"))
    if case .object(let members)? = settings.removeValue(forKey: "configuration") {
      settings.merge(members) { first, _ in first }
    }
    self.settings = settings
    records = RunLog.records(of: folder)
    let bests = CheckpointStore(reading: folder.appending("best"))
    best = (try? bests.latest { try RunState(withoutFiles: $0) })?.value.best
  }

  /// What `config.yml` says or, if it cannot be read, the newest checkpoint.
  private static func settings(
    _ config: FilePath, _ checkpoints: FilePath
  ) -> [String: JSONValue] {
    do { return try Recipe.read(config.string).values } catch {
      note(message(of: error))
      let store = CheckpointStore(reading: checkpoints)
      let state = (try? store.latest { try RunState(withoutFiles: $0) })?.value
      return (try? state?.run.recorded) ?? [:]
    }
  }

  /// The run's folders within some folders, or these folders themselves, in their order.
  static func all(in folders: [FilePath]) -> [RunSummary] {
    folders.flatMap { folder -> [RunSummary] in
      if let run = RunSummary(folder) { return [run] }
      let names = (try? FileSystem.names(in: folder, failure: .missing)) ?? []
      return names.sorted().compactMap { RunSummary(folder.appending($0)) }
    }
  }

  func text(_ name: String) -> String { settings[name]?.text ?? "?" }

  /// Steps made, as its log or its checkpoints say.
  var step: Int { max(steps.last.map { Int($0.step) } ?? 0, checkpoints.last ?? 0) }

  /// A line of the log on a step.
  private var steps: [(step: Double, record: [String: JSONValue])] { lines("step") }

  private func lines(_ event: String) -> [(step: Double, record: [String: JSONValue])] {
    records.compactMap { record in
      guard record["event"] == .string(event), let step = record["step"]?.asDouble else {
        return nil
      }
      return (step, record)
    }
  }

  /// Values of a name over the steps; of ``previewError``, over the previews.
  func curve(_ name: String) -> [(x: Double, y: Double)] {
    let isPreview = name == Self.previewError
    let key = isPreview ? "reconstruction_error_per_pixel" : name
    return lines(isPreview ? "preview" : "step").compactMap { step, record in
      record[key]?.asDouble.map { (step, $0) }
    }
  }

  /// How far each latent dimension was open over the steps; none for models without a mask.
  var maskCurves: [[(x: Double, y: Double)]] {
    let masks = lines("step").compactMap { step, record -> (Double, [Double])? in
      guard case .array(let values)? = record[RunLog.maskName] else { return nil }
      return (step, values.compactMap(\.asDouble))
    }
    let count = masks.map(\.1.count).min() ?? 0
    return (0..<count).map { index in masks.map { ($0.0, $0.1[index]) } }
  }

  /// The name of the error per pixel that previews measure on test images.
  static let previewError = "preview/error"

  /// The names of the totals of the phases' losses.
  var lossNames: [String] {
    Set(steps.flatMap { $0.record.keys }).filter { $0.hasSuffix("/total") }.sorted()
  }

  /// The median of images a second.
  var rate: Double? {
    let rates = curve("images_per_second").map(\.y).sorted()
    return rates.isEmpty ? nil : rates[rates.count / 2]
  }

  /// The newest score of each name: of evaluations, else of previews.
  var scores: [String: Double] {
    var scores: [String: Double] = [:]
    for record in records where record["event"] == .string("evaluation") {
      for (name, value) in record where name != "step" { scores[name] = value.asDouble }
    }
    let previews = records.filter { $0["event"] == .string("preview") }
    let error = previews.last?["reconstruction_error_per_pixel"]?.asDouble
    scores[Self.previewError] = error
    return scores
  }
}

extension [RunSummary] {
  /// The settings in which these runs differ, beside those that say where things are.
  var differences: [String] {
    let places: Set = ["data", "cache", "timeline", "model", "dataset"]
    return Set(flatMap(\.settings.keys)).subtracting(places).sorted().filter { name in
      Set(map { $0.settings[name]?.text ?? "" }).count > 1
    }
  }
}
