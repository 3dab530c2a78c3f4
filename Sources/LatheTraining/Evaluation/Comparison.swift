import LatheMetrics

/// Scores that compare features of made images with those of real ones; on rank 0.
struct Comparison {
  let evaluator: Evaluator
  /// Of the reference images; nil on other ranks, where nothing is compared.
  let real: Features?
  let statistics: FeatureStatistics?
  let sampler: String

  private var name: String { evaluator.extractor.distanceName }
  private var settings: EvaluationSettings { evaluator.settings }

  private func text(_ made: String) -> String {
    "\(made) against \(evaluator.reference.description); \(evaluator.extractor.description); \(settings.treatment)"
  }

  private func drawn(_ count: Int) -> String {
    "\(count) generated images (sampler \(sampler), seed \(settings.seed))"
  }

  private func distance(_ prefix: String, _ made: Features, _ text: String) throws -> Score {
    let value = try frechetDistance(FeatureStatistics(of: made), statistics!)
    return Score("\(prefix)/\(name)", value, unit: "lower is better", protocolText: text)
  }

  func addReconstruction(_ made: Features, to card: inout Evaluation) throws {
    card.scores.append(
      try distance(
        "reconstruction", made, text("the reconstructions of the \(made.count) images")))
  }

  func addInterpolation(_ made: Features, to card: inout Evaluation) throws {
    card.scores.append(
      try distance(
        "interpolation", made,
        text("\(made.count) decoded mid-points of random pairs of the images' codes")))
  }

  func addGeneration(_ made: Features, to card: inout Evaluation) throws {
    if evaluator.has(.fid) {
      card.scores.append(try distance("generation", made, text(drawn(made.count))))
      let least = min(made.count, real!.count)
      if least <= evaluator.extractor.dimensions {
        card.cautions.append(
          "\(name): \(least) samples for \(evaluator.extractor.dimensions) dimensions: covariances are singular, "
            + "distances are biased upwards; compare equal numbers of samples only")
      }
    }
    if evaluator.has(.prd) { try addPrecisionRecall(made, to: &card) }
    if evaluator.has(.kid) { try addKernelDistance(made, to: &card) }
    if evaluator.has(.coverage) { try addNeighborhoods(made, to: &card) }
  }

  /// As many of each, the first ones: the histograms are compared sample for sample.
  private func addPrecisionRecall(_ made: Features, to card: inout Evaluation) throws {
    let count = min(made.count, real!.count)
    let measure = PrecisionRecall(seed: settings.seed)
    let curve = try measure(
      evaluated: made[rows: 0..<count], reference: real![rows: 0..<count])
    let text =
      text(drawn(count)) + "; the first \(count) of each; \(measure.clusters) clusters, "
      + "\(measure.angles) angles, \(measure.runs) runs"
    card.curve = curve
    card.scores += [
      Score(
        "prd/precision", curve.precisionScore, unit: "F_1/8 in [0, 1], higher is better",
        protocolText: text),
      Score(
        "prd/recall", curve.recallScore, unit: "F_8 in [0, 1], higher is better", protocolText: text
      ),
    ]
  }

  private func addKernelDistance(_ made: Features, to card: inout Evaluation) throws {
    let measure = KernelDistance(seed: settings.seed)
    let result = try measure(made, real!)
    card.scores.append(
      Score(
        "generation/kid", result.mean, deviation: result.standardDeviation, unit: "lower is better",
        protocolText: text(drawn(made.count))
          + "; cubic kernel, \(measure.subsets) subsets of \(result.subsetSize)"))
  }

  private func addNeighborhoods(_ made: Features, to card: inout Evaluation) throws {
    let result = try NeighborhoodScores(generated: made, real: real!)
    let text = text(drawn(made.count)) + "; balls to the 5th neighbour"
    card.scores += [
      Score("density", result.density, unit: "higher is better, can exceed 1", protocolText: text),
      Score("coverage", result.coverage, unit: "in [0, 1], higher is better", protocolText: text),
    ]
  }
}
