import LatheDistributed
import LatheData
import LatheMetrics
import LatheModels
import LatheTensors

/// Measures a model on all ranks: all make images and take features, rank 0 computes the numbers.
///
/// Every sample counts once, and the numbers have the same bits whatever the number of ranks.
public final class Scorer {
  let settings: ScoreSettings
  let reference: ReferenceImages
  let extractor: ImageFeatures
  let work: SharedWork
  private let isLead: Bool
  /// Features of the reference images, once they have been asked for; rank 0 only.
  private var referenceFeatures: Features?
  private var knowsReference = false

  /// `reference` is the same on every rank; `beat` is called now and then, as a sign of life.
  public init(
    _ settings: ScoreSettings, reference: ImageSet, features: ImageFeatures,
    on world: Communicator, beat: @escaping () -> Void = {}
  ) {
    self.settings = settings
    self.reference = ReferenceImages(reference, count: settings.samples, seed: settings.seed)
    extractor = features
    work = SharedWork(world: world, beat: beat)
    isLead = world.rank == 0
  }

  /// The name of the score by which checkpoints are compared, the lower the better.
  public var leadingScore: String { "generation/\(extractor.distanceName)" }

  /// Measures a model whose new images come from `sampler`; the numbers on rank 0, nil elsewhere. Collective.
  public func scores(of model: any Model, sampler: Sampler) throws -> ScoreCard? {
    let made = MadeImages(model: model, sampler: sampler, reference: reference, settings: settings)
    var card = ScoreCard()
    try addReconstruction(made, to: &card)
    try addBound(made, to: &card)
    try addFeatureScores(made, to: &card)
    try addLatent(made, to: &card)
    return isLead ? card : nil
  }

  func has(_ metric: ScoreSettings.Metric) -> Bool { settings.metrics.contains(metric) }

  // MARK: Features

  private func addFeatureScores(_ made: MadeImages, to card: inout ScoreCard) throws {
    let needsGenerated = has(.fid) || has(.prd) || has(.kid) || has(.coverage)
    guard needsGenerated || has(.interpolation) else { return }
    let real = try realFeatures()
    let comparison = Comparison(
      scorer: self, real: real, statistics: try real.map { try FeatureStatistics(of: $0) },
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
