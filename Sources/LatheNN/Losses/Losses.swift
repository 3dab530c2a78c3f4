import LatheFiles
import LatheTensors

/// Mean over the batch of the sum of squared differences of each sample.
///
/// Shapes: both `[N, …]` → a scalar.
public func squaredError(_ x: Tensor, _ y: Tensor) -> Tensor {
  require(x.shape == y.shape, "squaredError: \(x.shape) and \(y.shape) differ")
  return (x - y).squared.sum() / Float(x.shape[0])
}

/// Mean over the batch of the cross-entropy of each sample, −Σ x log p + (1 − x) log (1 − p).
///
/// `floor` bounds the arguments of the logarithms from below; both x and p are in [0, 1].
/// Shapes: both `[N, …]` → a scalar.
public func crossEntropy(_ x: Tensor, probability p: Tensor, floor: Float = 1e-8) -> Tensor {
  require(x.shape == p.shape, "crossEntropy: \(x.shape) and \(p.shape) differ")
  let some = log(p.clamped(to: floor...Float.infinity))
  let none = log((1 - p).clamped(to: floor...Float.infinity))
  return -(x * some + (1 - x) * none).sum() / Float(x.shape[0])
}

/// Mean over batch and elements of the cross-entropy: ``crossEntropy(_:probability:floor:)`` for
/// each element.
///
/// Shapes: both `[N, …]` → a scalar.
public func meanCrossEntropy(_ x: Tensor, probability p: Tensor, floor: Float = 1e-8) -> Tensor {
  crossEntropy(x, probability: p, floor: floor) / Float(x.shape.count / x.shape[0])
}
