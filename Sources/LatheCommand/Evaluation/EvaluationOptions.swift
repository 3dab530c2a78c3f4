import ArgumentParser
import Foundation
import LatheMetrics
import LatheTraining

/// What is evaluated and how, for `evaluate` and `train --evaluate-every`; what is left out is nil.
struct EvaluationOptions: ParsableArguments {
  @Option(
    help:
      "Metrics, separated by commas: \(EvaluationSettings.Metric.names) (default: all)."
  )
  var metrics: String?

  @OptionGroup var images: FeatureFlags

  @Option(help: "Images of each kind (default: 10000).")
  var samples: Int?

  @OptionGroup var preprocessing: PreprocessingFlags

  /// These over a recipe's.
  func over(_ recipe: EvaluationRecipe?) -> EvaluationRecipe {
    var merged = recipe ?? EvaluationRecipe()
    merged.metrics = metrics ?? merged.metrics
    merged.features = images.features ?? merged.features
    merged.dims = images.dims ?? merged.dims
    merged.resize = images.resize ?? merged.resize
    merged.samples = samples ?? merged.samples
    merged.minmax = preprocessing.minmax ?? merged.minmax
    merged.rounding = preprocessing.rounding ?? merged.rounding
    return merged
  }
}

/// What happens to images before features are extracted; what is left out is nil.
struct PreprocessingFlags: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help:
      "Per-image min–max normalization before features, as FlexAE's and 2-Stage VAE's do (default: no)."
  )
  var minmax: Bool?

  @Option(help: "Round to 8 bits before features: none, nearest or down (default: none).")
  var rounding: Preprocessing.Rounding?
}

extension Preprocessing.Rounding: ExpressibleByArgument {}

extension EvaluationSettings.Metric {
  fileprivate static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// The same as a recipe has it, below `evaluation`.
struct EvaluationRecipe: Codable {
  var metrics, features: String?
  var dims: Int?
  var resize: String?
  var samples: Int?
  var minmax: Bool?
  var rounding: Preprocessing.Rounding?

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
      metrics: try chosenMetrics(), samples: samples,
      preprocessing: Preprocessing(minmax: minmax ?? false, rounding: rounding ?? .none),
      seed: seed)
  }

  private func chosenMetrics() throws -> [EvaluationSettings.Metric] {
    guard let metrics else { return EvaluationSettings.Metric.allCases }
    let names = metrics.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    return try names.map { name in
      if name == "bound" { noteRenamed("metric bound", to: "elbo") }
      if let metric = EvaluationSettings.Metric(named: name) { return metric }
      throw CommandFailure.usage(
        "--metrics: no metric '\(name)'; there are \(EvaluationSettings.Metric.names)")
    }
  }

  /// - Throws: `CommandFailure` for features that there are not.
  func choice() throws -> FeatureChoice {
    try FeatureChoice(features, dims: dims, resize: resize)
  }
}
