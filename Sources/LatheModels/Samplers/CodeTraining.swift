import LatheNN
import LatheTensors

/// A network of a sampler, to be trained on codes by all processes together.
public struct CodeTraining {
  /// Codes in a step: a slice's, and over all slices.
  public static let sliceSize = 64
  public static let slices = 8

  /// Its parameters, laid out; trained in place.
  public let store: ParameterStore
  /// The objective; the images of a batch are codes, `[sliceSize, latentSize]`.
  public let phase: BoundPhase
  /// `[count, latentSize]`, the same in all processes; each step draws its batch from all of them.
  public let codes: Tensor
  /// Rates fall to 0 over the steps, along a cosine.
  public let steps: Int

  public init(_ store: ParameterStore, _ phase: BoundPhase, on codes: Tensor, steps: Int) {
    (self.store, self.phase, self.codes, self.steps) = (store, phase, codes, steps)
  }

  /// The codes of a slice in a step.
  public func batch(_ step: Int, _ slice: Int, from random: RandomSource) -> Tensor {
    let places = random.derived(step).derived(slice).uniform("code", [Self.sliceSize]).values
    let last = codes.shape[0] - 1
    return codes.gather(places.map { min(Int($0 * Float(codes.shape[0])), last) })
  }
}
