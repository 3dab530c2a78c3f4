import ArgumentParser
import Foundation
import LatheTraining

/// What is measured and how, for `evaluate` and `train --evaluate-every`; what is left out is nil.
struct EvaluationOptions: ParsableArguments {
  @Option(
    help:
      "What to measure, separated by commas: \(EvaluationSettings.Metric.allCases.map(\.rawValue).joined(separator: ", ")) (default: all)."
  )
  var metrics: String?

  @OptionGroup var images: FeatureFlags

  @Option(help: "Images of each kind (default: 10000).")
  var samples: Int?

  @Flag(
    inversion: .prefixedNo,
    help:
      "Stretch each made image to [0, 1], as FlexAE's and 2-Stage VAE's programs do (default: no).")
  var minmax: Bool?

  @Option(help: "Round made images to 8 bits: none, nearest or down (default: none).")
  var rounding: EvaluationSettings.Rounding?

  /// These over a recipe's.
  func over(_ recipe: EvaluationRecipe?) -> EvaluationRecipe {
    var merged = recipe ?? EvaluationRecipe()
    merged.metrics = metrics ?? merged.metrics
    merged.features = images.features ?? merged.features
    merged.dims = images.dims ?? merged.dims
    merged.resize = images.resize ?? merged.resize
    merged.samples = samples ?? merged.samples
    merged.minmax = minmax ?? merged.minmax
    merged.rounding = rounding ?? merged.rounding
    return merged
  }
}

extension EvaluationSettings.Rounding: ExpressibleByArgument {}

/// The same as a recipe has it, below `evaluation`.
struct EvaluationRecipe: Codable {
  var metrics, features: String?
  var dims: Int?
  var resize: String?
  var samples: Int?
  var minmax: Bool?
  var rounding: EvaluationSettings.Rounding?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case metrics, features, dims, resize, samples, minmax, rounding
  }

  /// - Throws: `CommandFailure` for a metric that there is not, or too few samples.
  func settings(seed: UInt64) throws -> EvaluationSettings {
    let samples = samples ?? 10_000
    guard samples >= 2 else {
      throw CommandFailure.usage("--samples: expected at least 2, found \(samples)")
    }
    return EvaluationSettings(
      metrics: try chosenMetrics(), samples: samples, minmax: minmax ?? false,
      rounding: rounding ?? .none, seed: seed)
  }

  private func chosenMetrics() throws -> [EvaluationSettings.Metric] {
    guard let metrics else { return EvaluationSettings.Metric.allCases }
    let names = metrics.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    return try names.map { name in
      if let metric = EvaluationSettings.Metric(rawValue: name) { return metric }
      let known = EvaluationSettings.Metric.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure.usage("--metrics: no metric '\(name)'; there are \(known)")
    }
  }

  /// - Throws: `CommandFailure` for features that there are not.
  func choice() throws -> FeatureChoice {
    try FeatureChoice(features, dims: dims, resize: resize)
  }
}
