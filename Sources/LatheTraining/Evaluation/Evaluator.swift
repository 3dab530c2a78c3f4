import LatheDistributed
import LatheData
import LatheMetrics
import LatheModels
import LatheTensors

/// Evaluates a model on all ranks: all generate images and extract features, rank 0 computes the
/// scores.
///
/// Every sample counts once, and the scores have the same bits whatever the number of ranks.
public final class Evaluator {
  let settings: EvaluationSettings
  let reference: ReferenceImages
  let extractor: ImageFeatures
  let work: SharedWork
  private let isRoot: Bool
  /// Features of the reference images, once they have been asked for; rank 0 only.
  private var referenceFeatures: Features?
  private var knowsReference = false

  /// `reference` is the same on every rank; `beat` is called now and then, as a sign of life.
  public init(
    _ settings: EvaluationSettings, reference: ImageSet, features: ImageFeatures,
    on world: Communicator, beat: @escaping () -> Void = {}
  ) {
    self.settings = settings
    self.reference = ReferenceImages(reference, count: settings.samples, seed: settings.seed)
    extractor = features
    work = SharedWork(world: world, beat: beat)
    isRoot = world.rank == 0
  }

  /// The name of the score by which checkpoints are compared, the lower the better.
  public var leadingScore: String { "generation/\(extractor.distanceName)" }

  /// Evaluates a model whose new images come from `sampler`; the scores on rank 0, nil elsewhere.
  /// Collective.
  public func evaluate(_ model: any Model, sampler: Sampler) throws -> Evaluation? {
    let made = GeneratedImages(
      model: model, sampler: sampler, reference: reference, settings: settings)
    var card = Evaluation()
    try addReconstruction(made, to: &card)
    try addBound(made, to: &card)
    try addFeatureScores(made, to: &card)
    try addLatent(made, to: &card)
    return isRoot ? card : nil
  }

  func has(_ metric: EvaluationSettings.Metric) -> Bool { settings.metrics.contains(metric) }

  // MARK: Features

  private func addFeatureScores(_ made: GeneratedImages, to card: inout Evaluation) throws {
    let needsGenerated = has(.fid) || has(.prd) || has(.kid) || has(.coverage)
    guard needsGenerated || has(.interpolation) else { return }
    let real = try realFeatures()
    let comparison = Comparison(
      evaluator: self, real: real, statistics: try real.map { try FeatureStatistics(of: $0) },
      sampler: made.sampler.name.rawValue)
    if has(.fid) {
      let features = try features(reference.count) { made.treated(made.reconstructed($0)) }
      if let features { try comparison.addReconstruction(features, to: &card) }
    }
    if needsGenerated {
      let features = try features(settings.samples) { made.treated(made.generated($0)) }
      if let features { try comparison.addGeneration(features, to: &card) }
    }
    if has(.interpolation) {
      let features = try features(reference.count) { made.treated(made.interpolated($0)) }
      if let features { try comparison.addInterpolation(features, to: &card) }
    }
  }

  private func realFeatures() throws -> Features? {
    if knowsReference { return referenceFeatures }
    referenceFeatures = try features(reference.count) { self.reference.images($0) }
    knowsReference = true
    return referenceFeatures
  }

  private func features(_ count: Int, of images: (Range<Int>) -> Tensor) throws -> Features? {
    let values: [Float]? = try work.gather(count) { try extractor.extract(images($0)) }
    return values.map { Features($0, dimensions: extractor.dimensions) }
  }
}
