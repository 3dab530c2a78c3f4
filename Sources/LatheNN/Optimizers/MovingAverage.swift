import Foundation
import LatheKernels
import LatheTensors

/// A moving average of a store's parameters.
///
/// Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992, with
/// exponential weights and the correction of the start of Kingma and Ba, "Adam", ICLR 2015, Section
/// 7.2: after t updates it is (1 − d) / (1 − dᵗ) Σ dᵗ⁻ⁱ pᵢ. Concretely, a ← a + (1 − d) / (1 − dᵗ)
/// (p − a). Buffers are not averaged.
public final class MovingAverage {
  /// d.
  public let decay: Double
  /// Updates made so far, t.
  public private(set) var updates = 0
  /// Flat values with the offsets of the store's parameters; zeros at first.
  public let values: Arena
  private let store: ParameterStore

  /// For a store that is laid out, in memory as for an optimizer.
  public init(
    _ decay: Double, of store: ParameterStore,
    memory: (_ range: Range<Int>, _ initial: Float) -> Arena = Arena.init(for:filledWith:)
  ) {
    (self.decay, self.store) = (decay, store)
    values = memory(0..<store.values.count, 0)
  }

  /// Counts one update more and makes it on these ranges.
  public func update(_ ranges: [Range<Int>]) {
    updates += 1
    let weight = (1 - decay) / (1 - pow(decay, Double(updates)))
    for range in ranges {
      LatheKernels.approach(
        values.pointer + range.lowerBound, store.values.pointer + range.lowerBound,
        weight: Float(weight), count: range.count)
    }
  }

  /// Exchanges the average and the parameters on these ranges.
  public func swap(_ ranges: [Range<Int>]) {
    for range in ranges {
      for index in range {
        (values.pointer[index], store.values.pointer[index]) = (
          store.values.pointer[index], values.pointer[index]
        )
      }
    }
  }

  /// What a checkpoint saves: the average of each parameter.
  public var tensors: [(name: String, shape: [Int], storage: Storage)] {
    store.parameters.map { ($0.name, $0.shape.sizes, values.storage($0.range)) }
  }

  /// Continues after `updates` updates; the tensors are loaded by whoever asked for them.
  public func resume(afterUpdates updates: Int) { self.updates = updates }
}
