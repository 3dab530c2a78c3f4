import LatheData
import LatheModels
import LatheTensors

/// Images by number, computed wherever they are asked for: what there is of number i depends on i
/// alone.
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

  /// Decoded mid-points between the codes of reference images and of others, drawn by chance.
  func interpolated(_ range: Range<Int>) -> Tensor {
    let codes = model.encode(reference.images(range))
    let others = model.encode(reference.images(reference.partners(range, seed: settings.seed)))
    return model.decode(0.5 * (codes + others))
  }

  /// Made images as features are taken of them: clipped or stretched, and rounded.
  func treated(_ images: Tensor) -> Tensor {
    var values = images.values
    let size = values.count / max(1, images.shape[0] as Int)
    for start in stride(from: 0, to: values.count, by: max(1, size)) {
      treat(&values[start..<start + size])
    }
    return Tensor(values, shape: images.shape)
  }

  private func treat(_ image: inout ArraySlice<Float>) {
    if settings.minmax, let least = image.min(), let greatest = image.max(), least < greatest {
      for i in image.indices { image[i] = (image[i] - least) / (greatest - least) }
    }
    for i in image.indices { image[i] = rounded(min(1, max(0, image[i]))) }
  }

  private func rounded(_ value: Float) -> Float {
    switch settings.rounding {
    case .none: value
    case .nearest: (value * 255).rounded() / 255
    case .down: (value * 255).rounded(.down) / 255
    }
  }
}
