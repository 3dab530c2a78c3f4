import LatheMetrics

/// Scores that compare features of images that the model made with those of real ones; on rank 0.
struct Comparison {
  let evaluator: Evaluator
  /// Of the reference images.
  let real: Features
  let statistics: Result<FeatureStatistics, ScoreError>
  /// The name of the sampler.
  let sampler: String

  init(_ evaluator: Evaluator, real: Features, sampler: String) {
    (self.evaluator, self.real, self.sampler) = (evaluator, real, sampler)
    statistics = Result { () throws(ScoreError) in try FeatureStatistics(of: real) }
  }

  private var name: String { evaluator.extractor.scoreName }
  private var settings: EvaluationSettings { evaluator.settings }

  private var conditions: String {
    "against \(evaluator.reference.description); \(evaluator.features); images that the model "
      + "made are \(settings.preprocessing)"
  }

  private func drawn(_ count: Int) -> String {
    "\(count) generated images (sampler \(sampler), seed \(settings.seed))"
  }

  private func distance(
    _ prefix: String, _ generated: Features, _ samples: String
  ) throws -> [Score] {
    let value = try frechetDistance(FeatureStatistics(of: generated), statistics.get())
    return [
      Score(
        "\(prefix)/\(name)", value, unit: "lower is better", samples: samples,
        conditions: conditions)
    ]
  }

  func reconstruction(_ features: Features) throws -> [Score] {
    try distance(
      "reconstruction", features, "reconstructions of the \(features.count) reference images")
  }

  func interpolation(_ features: Features) throws -> [Score] {
    try distance(
      "interpolation", features,
      "\(features.count) decoded mid-points of random pairs of codes of the reference images")
  }

  func generation(_ features: Features) throws -> [Score] {
    try distance("generation", features, drawn(features.count))
  }

  /// A sentence if there are too few samples for covariances of full rank.
  func warning(_ features: Features) -> String? {
    let minimum = min(features.count, real.count)
    guard minimum <= features.dimensions else { return nil }
    return "\(name): \(minimum) samples for \(features.dimensions) dimensions: covariances are "
      + "singular, distances are biased upwards; compare equal numbers of samples only"
  }

  /// As many of each, the first ones: the histograms are compared sample for sample.
  func precisionRecall(_ features: Features) throws -> (PrecisionRecallCurve, [Score]) {
    let count = min(features.count, real.count)
    let measure = PrecisionRecall(seed: settings.seed)
    let curve = try measure(
      evaluated: features[rows: 0..<count], reference: real[rows: 0..<count])
    let samples =
      drawn(count) + ", the first \(count) of each; \(measure.clusters) clusters, "
      + "\(measure.angles) angles, \(measure.runs) runs"
    func score(_ name: String, _ value: Double, _ measure: String) -> Score {
      Score(
        name, value, unit: "\(measure), higher is better", samples: samples,
        conditions: conditions)
    }
    return (
      curve,
      [
        score("prd/precision", curve.precisionScore, "F_1/8"),
        score("prd/recall", curve.recallScore, "F_8"),
      ]
    )
  }

  func kernelDistance(_ features: Features) throws -> [Score] {
    let measure = KernelDistance(seed: settings.seed)
    let result = try measure(features, real)
    return [
      Score(
        "generation/kid", result.mean, standardDeviation: result.standardDeviation,
        unit: "lower is better",
        samples: drawn(features.count)
          + "; cubic kernel, \(measure.subsets) subsets of \(result.subsetSize)",
        conditions: conditions)
    ]
  }

  func neighborhoods(_ features: Features) throws -> [Score] {
    let result = try NeighborhoodScores(generated: features, real: real)
    let samples = drawn(features.count) + "; balls to the 5th neighbour"
    return [
      Score(
        "density", result.density, unit: "higher is better, can exceed 1", samples: samples,
        conditions: conditions),
      Score(
        "coverage", result.coverage, unit: "in [0, 1], higher is better", samples: samples,
        conditions: conditions),
    ]
  }
}
