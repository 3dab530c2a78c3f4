import LatheData
import LatheModels
import LatheTensors

/// Images that a model makes, by number: image i depends on i alone, whichever rank asks for it.
struct GeneratedImages {
  let model: any Model
  let reference: RealImages
  let settings: EvaluationSettings

  private var random: RandomSource { GeneratedImages.random(settings.seed) }

  fileprivate static func random(_ seed: UInt64) -> RandomSource {
    RandomSource(seed: seed).derived("scores")
  }

  /// Decoded draws of the sampler, numbers of one chunk.
  func generated(_ range: Range<Int>, from sampler: Sampler) -> Tensor {
    model.drawnImages(range, from: sampler, seed: settings.seed)
  }

  /// Codes of the sampler, which ``generated(_:from:)`` decodes.
  func sampledCodes(_ range: Range<Int>, from sampler: Sampler) -> Tensor {
    model.drawnCodes(range, from: sampler, seed: settings.seed)
  }

  /// Codes of training images as the decoder met them in training: z ~ q(z | x) where the model has
  /// a posterior, E(x) where it has none.
  func posteriorCodes(_ range: Range<Int>, of training: RealImages) -> Tensor {
    model.sampleCodes(
      of: training.images(range), using: random.derived("posterior").derived(range.lowerBound))
  }

  /// What the model makes of reference images.
  func reconstructed(_ range: Range<Int>) -> Tensor {
    model.reconstruct(
      reference.images(range), using: random.derived("reconstructed").derived(range.lowerBound))
  }

  /// Decoded mid-points between the codes of reference images and of others, drawn randomly.
  func interpolated(_ range: Range<Int>) -> Tensor {
    let codes = model.encode(reference.images(range))
    let others = model.encode(reference.images(reference.partners(range, seed: settings.seed)))
    return model.decode(0.5 * (codes + others))
  }
}

extension Model {
  /// Decoded draws of a sampler, numbers of one chunk: those that an evaluation with this seed
  /// scores.
  package func drawnImages(_ range: Range<Int>, from sampler: Sampler, seed: UInt64) -> Tensor {
    decode(drawnCodes(range, from: sampler, seed: seed))
  }

  /// Their codes.
  fileprivate func drawnCodes(_ range: Range<Int>, from sampler: Sampler, seed: UInt64) -> Tensor {
    let noise = GeneratedImages.random(seed).derived("generated").derived(range.lowerBound)
    return sampler.draw(range.count, noise)
  }
}
