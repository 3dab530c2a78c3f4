import LatheMetrics

/// Scores that compare features of evaluated images with those of real ones; on rank 0.
package struct Comparison {
  /// Of the reference images.
  let real: Features
  /// What the Fréchet distance of these features is called: `fid-768`.
  let name: String
  /// What pairs and subsets are drawn from.
  let seed: UInt64
  /// What all scores have in common: reference, features, preprocessing.
  let conditions: String
  /// So many of the evaluated images, in words.
  let drawn: (Int) -> String
  /// Before the names of distances: `generation/`.
  let prefix: String
  private let statistics: Result<FeatureStatistics, ScoreError>

  package init(
    real: Features, name: String, seed: UInt64, conditions: String, prefix: String = "",
    drawn: @escaping (Int) -> String
  ) {
    (self.real, self.name, self.seed, self.conditions) = (real, name, seed, conditions)
    (self.prefix, self.drawn) = (prefix, drawn)
    statistics = Result { () throws(ScoreError) in try FeatureStatistics(of: real) }
  }

  /// Adds the scores of these metrics, of those that ``EvaluationSettings/Metric/ofSets`` lists.
  package func add(
    _ metrics: [EvaluationSettings.Metric], of features: Features, to evaluation: inout Evaluation,
    progress: Progress
  ) throws {
    for metric in EvaluationSettings.Metric.ofSets where metrics.contains(metric) {
      progress(metric.task, 0, 0)
      switch metric {
      case .fid:
        try evaluation.add(.fid) { try distance(prefix, features, drawn(features.count)) }
        if let warning = warning(features) { evaluation.warnings.append(warning) }
      case .prd: try addPrecisionRecall(features, to: &evaluation)
      case .kid: try evaluation.add(.kid) { try kernelDistance(features) }
      default: try evaluation.add(.coverage) { try neighborhoods(features) }
      }
    }
  }

  func score(
    _ name: String, _ value: Double, standardDeviation: Double? = nil, _ unit: String,
    _ samples: String
  ) -> Score {
    Score(
      name, value, standardDeviation: standardDeviation, unit: unit, samples: samples,
      conditions: conditions)
  }

  private func distance(
    _ prefix: String, _ generated: Features, _ samples: String
  ) throws -> [Score] {
    let value = try frechetDistance(FeatureStatistics(of: generated), statistics.get())
    return [score(prefix + name, value, "lower is better", samples)]
  }

  func reconstruction(_ features: Features) throws -> [Score] {
    try distance(
      "reconstruction/", features, "reconstructions of the \(features.count) reference images")
  }

  /// Of decoded codes of training images.
  func posterior(_ features: Features, _ codes: String) throws -> [Score] {
    try distance("posterior/", features, "decoded \(codes)")
  }

  func interpolation(_ features: Features) throws -> [Score] {
    try distance(
      "interpolation/", features,
      "\(features.count) decoded mid-points of random pairs of codes of the reference images")
  }

  /// A sentence if there are too few samples for covariances of full rank.
  private func warning(_ features: Features) -> String? {
    let minimum = min(features.count, real.count)
    guard minimum <= features.dimensions else { return nil }
    return "\(name): \(minimum) samples for \(features.dimensions) dimensions: covariances are "
      + "singular, distances are biased upwards; compare equal numbers of samples only"
  }

  private func addPrecisionRecall(
    _ features: Features, to evaluation: inout Evaluation
  ) throws {
    var curve: PrecisionRecallCurve?
    try evaluation.add(.prd) {
      let (found, scores) = try precisionRecall(features)
      curve = found
      return scores
    }
    evaluation.curve = curve
  }

  /// As many of each, the first ones: the histograms are compared sample for sample.
  private func precisionRecall(_ features: Features) throws -> (PrecisionRecallCurve, [Score]) {
    let count = min(features.count, real.count)
    let measure = PrecisionRecall(seed: seed)
    let curve = try measure(
      evaluated: features[rows: 0..<count], reference: real[rows: 0..<count])
    let samples =
      drawn(count) + ", the first \(count) of each; \(measure.clusters) clusters, "
      + "\(measure.angles) angles, \(measure.runs) runs"
    return (
      curve,
      [
        score("prd/precision", curve.precisionScore, "F_1/8, higher is better", samples),
        score("prd/recall", curve.recallScore, "F_8, higher is better", samples),
      ]
    )
  }

  private func kernelDistance(_ features: Features) throws -> [Score] {
    let measure = KernelDistance(seed: seed)
    let result = try measure(features, real)
    let samples =
      drawn(features.count)
      + "; cubic kernel, \(measure.subsets) subsets of \(result.subsetSize)"
    return [
      score(
        prefix + "kid", result.mean, standardDeviation: result.standardDeviation,
        "lower is better", samples)
    ]
  }

  private func neighborhoods(_ features: Features) throws -> [Score] {
    let (neighbors, manifold) = (5, 3)
    let result = try NeighborhoodScores(
      generated: features, real: real, neighbors: neighbors, manifoldNeighbors: manifold)
    func samples(_ k: Int) -> String { "\(drawn(features.count)); balls to neighbour \(k)" }
    let range = "in [0, 1], higher is better"
    return [
      score("knn/precision", result.precision, range, samples(manifold)),
      score("knn/recall", result.recall, range, samples(manifold)),
      score("density", result.density, "higher is better, can exceed 1", samples(neighbors)),
      score("coverage", result.coverage, range, samples(neighbors)),
    ]
  }
}

extension EvaluationSettings.Metric {
  /// Metrics of two sets of features, in the order in which they are shown.
  package static let ofSets: [Self] = [.fid, .prd, .kid, .coverage]

  /// What is computed, for a line of progress.
  fileprivate var task: String {
    switch self {
    case .fid: "Fréchet distance"
    case .prd: "precision and recall"
    case .kid: "kernel distance"
    default: "nearest neighbours"
    }
  }
}
