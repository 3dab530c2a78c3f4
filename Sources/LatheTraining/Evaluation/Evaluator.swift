import LatheData
import LatheDistributed
import LatheMetrics
import LatheModels
import LatheTensors

/// Evaluates a model on all ranks: all generate images and extract features, rank 0 computes the
/// scores.
///
/// Every sample counts once, and the scores have the same bits whatever the number of ranks.
public final class Evaluator {
  let settings: EvaluationSettings
  let reference: RealImages
  /// What the model was trained on; nil where nobody gave that.
  private let training: ImageSet?
  let extractor: any FeatureExtractor
  /// Is told how far this rank is.
  public var progress: Progress
  /// Where features of real images are kept; nil for nowhere.
  public var keptFeatures: KeptFeatures?
  var work: SharedWork { SharedWork(world: world, progress: progress) }
  private let world: Communicator
  /// Features of the reference images, once they have been asked for; rank 0 only.
  private var referenceFeatures: Features?
  private var knowsReference = false

  /// `reference` and `training` images are the same on every rank; `progress` is told how far this
  /// rank is.
  public init(
    _ settings: EvaluationSettings, reference: ImageSet, training: ImageSet? = nil,
    features: any FeatureExtractor, on world: Communicator,
    progress: @escaping Progress = { _, _, _ in }
  ) {
    self.settings = settings
    self.reference = RealImages(reference, count: settings.samples, seed: settings.seed)
    (self.training, extractor) = (training, features)
    (self.world, self.progress) = (world, progress)
  }

  /// The same with so many samples, which knows nothing of the reference images yet.
  func sampling(_ count: Int) -> Evaluator {
    var settings = settings
    settings.samples = count
    return Evaluator(
      settings, reference: reference.set, training: training, features: extractor, on: world,
      progress: progress)
  }

  /// So many of the training images, drawn randomly; nil, with the metric left out, without any.
  func trainingImages(
    _ count: Int, for metric: EvaluationSettings.Metric, _ evaluation: inout Evaluation
  ) -> RealImages? {
    guard let training else {
      evaluation.leaveOut(metric, "it needs the training images")
      return nil
    }
    return RealImages(training, count: count, seed: settings.seed, for: .training)
  }

  /// The features in words, for protocols.
  var features: String { extractor.summary(for: reference.set.shape) }

  /// Evaluates a model whose new images come from `sampler`, which is asked for only where new
  /// images are wanted; the scores on rank 0, nil elsewhere. Collective.
  ///
  /// A metric that cannot be computed from so few or such samples is left out, and the evaluation
  /// says why.
  /// - Throws: what the model and the features throw on all ranks, `MPIError`.
  public func evaluate(
    _ model: any Model, sampler: @autoclosure () throws -> Sampler
  ) throws -> Evaluation? {
    let images = GeneratedImages(model: model, reference: reference, settings: settings)
    var evaluation = Evaluation()
    try addReconstruction(images, to: &evaluation)
    try addELBO(images, to: &evaluation)
    try addLikelihood(model, to: &evaluation)
    try addLoss(images, to: &evaluation)
    let needsSampler = settings.metrics.contains { $0.needsSampler }
    let drawn = needsSampler ? try sampler() : nil
    try addFeatureScores(images, sampler: drawn, to: &evaluation)
    try addLatent(images, to: &evaluation)
    try addGap(images, sampler: drawn, to: &evaluation)
    return world.rank == 0 ? evaluation : nil
  }

  func has(_ metric: EvaluationSettings.Metric) -> Bool { settings.metrics.contains(metric) }

  // MARK: Features

  private func addFeatureScores(
    _ images: GeneratedImages, sampler: Sampler?, to evaluation: inout Evaluation
  ) throws {
    guard settings.metrics.contains(where: \.needsFeatures) else { return }
    let comparison = try realFeatures().map {
      self.comparison(with: $0, sampler: sampler?.name)
    }
    if has(.fid) {
      let features = try features("reconstructions", reference.count, images.reconstructed)
      if let comparison, let features {
        try evaluation.add(.fid) { try comparison.reconstruction(features) }
      }
    }
    try addPosterior(images, comparison, to: &evaluation)
    if let sampler {
      try addGenerated(images, sampler, comparison, to: &evaluation)
    }
    if has(.interpolation) {
      let features = try features("interpolations", reference.count, images.interpolated)
      if let comparison, let features {
        try evaluation.add(.interpolation) { try comparison.interpolation(features) }
      }
    }
  }

  private func addGenerated(
    _ images: GeneratedImages, _ sampler: Sampler, _ comparison: Comparison?,
    to evaluation: inout Evaluation
  ) throws {
    let metrics = settings.metrics.filter { $0.needsSampler && $0.needsFeatures }
    guard !metrics.isEmpty else { return }
    let features = try features("generated images", settings.samples) {
      images.generated($0, from: sampler)
    }
    if let comparison, let features {
      try comparison.add(metrics, of: features, to: &evaluation, progress: progress)
    }
    try addMemorization(features, comparison, to: &evaluation)
  }

  private func comparison(with real: Features, sampler: Sampler.Name?) -> Comparison {
    let conditions =
      "against \(reference.description); \(features); images that the model made are "
      + "\(settings.preprocessing)"
    let origin = "(sampler \(sampler?.rawValue ?? "none"), seed \(settings.seed))"
    return Comparison(
      real: real, name: extractor.scoreName, seed: settings.seed, conditions: conditions,
      prefix: "generation/"
    ) { "\($0) generated images \(origin)" }
  }

  private func realFeatures() throws -> Features? {
    if knowsReference { return referenceFeatures }
    referenceFeatures = try features(of: reference, "reference images")
    knowsReference = true
    return referenceFeatures
  }

  /// Features of images that the model made.
  func features(
    _ kind: String, _ count: Int, _ images: (Range<Int>) -> Tensor
  ) throws -> Features? {
    try gatheredFeatures(kind, count) { settings.preprocessing(images($0)) }
  }

  /// Features of real images on rank 0, nil elsewhere, from a file if they are kept. Collective.
  func features(of real: RealImages, _ kind: String) throws -> Features? {
    let file = try keptFeatures?.file(of: real, by: extractor)
    let dimensions = extractor.dimensions(for: real.set.shape)
    let kept = file.flatMap {
      world.rank == 0 ? keptFeatures?.read($0, count: real.count, dimensions: dimensions) : nil
    }
    let isKept = try world.allReduceFlags(or: kept == nil ? 0 : 1) != 0
    if isKept { return kept }
    let found = try gatheredFeatures(kind, real.count) { real.images($0) }
    if let file, let found { try keptFeatures?.write(found, to: file) }
    return found
  }

  /// Features of images on rank 0, nil elsewhere. Collective.
  private func gatheredFeatures(
    _ kind: String, _ count: Int, _ images: (Range<Int>) -> Tensor
  ) throws -> Features? {
    let values: [Float]? = try work.gather("features of \(kind)", count) {
      try extractor.features(of: images($0)).values
    }
    let dimensions = extractor.dimensions(for: reference.set.shape)
    return values.map { Features($0, dimensions: dimensions) }
  }
}
