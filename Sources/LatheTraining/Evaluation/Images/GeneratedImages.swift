import LatheData
import LatheModels
import LatheTensors

/// Images that a model makes, by number: image i depends on i alone, whichever rank asks for it.
struct GeneratedImages {
  let model: any Model
  let reference: ReferenceImages
  let settings: EvaluationSettings

  private var random: RandomSource { GeneratedImages.random(settings.seed) }

  fileprivate static func random(_ seed: UInt64) -> RandomSource {
    RandomSource(seed: seed).derived("scores")
  }

  /// Decoded draws of the sampler, numbers of one chunk.
  func generated(_ range: Range<Int>, from sampler: Sampler) -> Tensor {
    model.drawnImages(range, from: sampler, seed: settings.seed)
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
    let noise = GeneratedImages.random(seed).derived("generated").derived(range.lowerBound)
    return decode(sampler.draw(range.count, noise))
  }
}
