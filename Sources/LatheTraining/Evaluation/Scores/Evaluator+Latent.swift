import LatheMetrics
import LatheModels
import LatheTensors

// Scores of the codes.
extension Evaluator {
  /// Codes of numbered images on rank 0, nil elsewhere. Collective.
  private func codes(
    _ kind: String, _ count: Int, _ body: (Range<Int>) -> Tensor
  ) throws -> Features? {
    let values: [Float]? = try work.gather("codes of \(kind)", count) { body($0).values }
    return values.map { Features($0, dimensions: $0.count / count) }
  }

  /// Correlation of codes, how many dimensions are in use, and how many they fill.
  func addLatent(_ images: GeneratedImages, to evaluation: inout Evaluation) throws {
    guard has(.latent) || has(.dimension) else { return }
    let codes = try codes("reference images", reference.count) {
      images.model.withoutLabels(images.model.encode(self.reference.images($0)))
    }
    if has(.latent), let codes {
      try evaluation.add(.latent) { try latentScores(codes, of: images.model) }
    }
    if has(.dimension) { try addDimension(codes, to: &evaluation) }
  }

  /// Images that a model's relevant dimensions are counted with.
  private static let relevanceImages = 100

  private func latentScores(_ codes: Features, of model: any Model) throws -> [Score] {
    let (active, words) = activeDimensions(of: model)
    let statistics = try LatentStatistics(FeatureStatistics(of: codes), active: active)
    let samples = "codes of \(reference.description), \(words)"
    return [
      Score(
        "latent/nac", statistics.meanAbsoluteCorrelation,
        unit: "lower is better", samples: samples),
      Score(
        "latent/mean-abs-covariance", statistics.meanAbsoluteCovariance,
        unit: "mean |covariance|", samples: samples),
      Score(
        "latent/active", Double(statistics.active.count), unit: "dimensions, m_A",
        samples: samples),
    ]
  }

  /// Those that a mask leaves open, or that matter to the decoder; nil for all.
  private func activeDimensions(of model: any Model) -> (active: [Int]?, words: String) {
    if let mask = model.latentMask {
      let active = LatentStatistics.activeCoordinates(of: mask.values)
      return (active, "dimensions with a mask of at least 0.1")
    }
    let images = reference.images(0..<min(Self.relevanceImages, reference.count))
    let random = RandomSource(seed: settings.seed).derived("relevance")
    let relevance = model.relevance(of: images, using: random)
    guard let relevance else { return (nil, "all dimensions") }
    let active = LatentStatistics.activeCoordinates(of: relevance.values)
    return (active, "relevant dimensions, by \(images.shape[0]) images")
  }

  // MARK: Intrinsic dimension

  private func addDimension(_ codes: Features?, to evaluation: inout Evaluation) throws {
    let (distinct, k) = (codes?.distinct, IntrinsicDimension.neighbors)
    let found = try work.nearest("codes", to: distinct, among: distinct, count: k + 1)
    guard let codes, let found else { return }
    try evaluation.add(.dimension) {
      // The nearest to a code is the code itself.
      let result = try IntrinsicDimension(neighbors: found.map { Array($0.dropFirst()) })
      let samples =
        "\(found.count) distinct of \(codes.count) codes E(x) in \(codes.dimensions) dimensions, "
        + "\(reference.description)"
      return [
        Score(
          "latent/two-nn", result.twoNN, unit: "dimensions, TwoNN",
          samples: samples + "; linear fit without the largest 10 % of the ratios"),
        Score(
          "latent/mle-dimension", result.maximumLikelihood,
          unit: "dimensions, maximum likelihood",
          samples: samples + "; mean over 10 to \(k) neighbours, inverses averaged over codes"),
      ]
    }
  }

  // MARK: Sampler and aggregated posterior

  /// What the decoder makes of codes of training images.
  func addPosterior(
    _ images: GeneratedImages, _ comparison: Comparison?, to evaluation: inout Evaluation
  ) throws {
    guard has(.posterior),
      let training = trainingImages(settings.samples, for: .posterior, &evaluation)
    else { return }
    let features = try features("decoded posteriors", training.count) {
      images.model.decode(images.posteriorCodes($0, of: training))
    }
    guard let comparison, let features else { return }
    try evaluation.add(.posterior) {
      try comparison.posterior(features, posteriorDescription(training))
    }
  }

  /// How far the sampler's codes are from the aggregated posterior.
  func addGap(
    _ images: GeneratedImages, sampler: Sampler?, to evaluation: inout Evaluation
  ) throws {
    guard has(.gap), let sampler,
      let training = trainingImages(settings.samples, for: .gap, &evaluation)
    else { return }
    let posterior = try codes("training images", training.count) {
      images.model.withoutLabels(images.posteriorCodes($0, of: training))
    }
    let sampled = try codes("the sampler", training.count) {
      images.model.withoutLabels(images.sampledCodes($0, from: sampler))
    }
    guard let posterior, let sampled else { return }
    let samples =
      "\(sampled.count) codes of sampler \(sampler.name.rawValue) (seed \(settings.seed)) against "
      + posteriorDescription(training)
    try evaluation.add(.gap) { try gapScores(sampled, posterior, samples) }
  }

  private func posteriorDescription(_ training: RealImages) -> String {
    "codes of \(training.description), drawn from q(z | x) where the model has one"
  }

  private func gapScores(
    _ sampled: Features, _ posterior: Features, _ samples: String
  ) throws -> [Score] {
    let statistics = try FeatureStatistics(of: posterior)
    let distance = try frechetDistance(FeatureStatistics(of: sampled), statistics)
    let sliced = SlicedWasserstein(seed: settings.seed)
    var scores = [
      Score(
        "latent/frechet", distance, unit: "squared, in units of codes, lower is better",
        samples: samples),
      Score(
        "latent/sliced-wasserstein", try sliced(sampled, posterior),
        unit: "in units of codes, lower is better",
        samples: samples + "; \(sliced.directions) directions"),
    ]
    if statistics.totalVariance > 0 {
      scores.append(
        Score(
          "latent/relative-frechet", distance / statistics.totalVariance,
          unit: "of the posterior's total variance, lower is better", samples: samples))
    }
    return scores
  }
}
