import LatheData
import LatheModels
import LatheTensors

/// Images that a model makes, by number: image i depends on i alone, whichever rank asks for it.
struct GeneratedImages {
  let model: any Model
  let sampler: Sampler
  let reference: ReferenceImages
  let settings: EvaluationSettings

  private var random: RandomSource { RandomSource(seed: settings.seed).derived("scores") }

  /// Decoded draws of the sampler, numbers of one chunk.
  func generated(_ range: Range<Int>) -> Tensor {
    let noise = random.derived("generated").derived(range.lowerBound)
    return model.decode(sampler.draw(range.count, noise))
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
