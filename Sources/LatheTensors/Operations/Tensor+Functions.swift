import LatheFiles
import LatheKernels

/// eˣ, element by element.
public func exp(_ x: Tensor) -> Tensor {
  map(.exp, x, keepingOutput: true) { $0.gradient * $0.output }
}

/// Natural logarithm, element by element; −∞ at 0.
public func log(_ x: Tensor) -> Tensor {
  map(.log, x) { $0.gradient / x }
}

/// Square root, element by element.
public func sqrt(_ x: Tensor) -> Tensor {
  map(.sqrt, x, keepingOutput: true) { 0.5 * $0.gradient / $0.output }
}

/// 1 / (1 + e⁻ˣ), element by element.
public func sigmoid(_ x: Tensor) -> Tensor {
  map(.sigmoid, x, keepingOutput: true) { $0.gradient * ($0.output * (1 - $0.output)) }
}

/// Hyperbolic tangent, element by element.
public func tanh(_ x: Tensor) -> Tensor {
  map(.tanh, x, keepingOutput: true) { $0.gradient * (1 - $0.output.squared) }
}

/// log(1 + eˣ), element by element, stable at both ends.
public func softplus(_ x: Tensor) -> Tensor {
  map(.softplus, x) { $0.gradient * sigmoid(x) }
}

/// max(x, 0), element by element; the slope at 0 is 0.
public func relu(_ x: Tensor) -> Tensor {
  map(.relu, x, keepingOutput: true) { gate($0.gradient, where: $0.output, slope: 0) }
}

/// x where positive, `slope` · x elsewhere; `slope` is not negative.
public func leakyRelu(_ x: Tensor, slope: Float) -> Tensor {
  require(slope >= 0, "leakyRelu: slope \(slope) is negative")
  let storage = Storage(count: x.shape.count)
  Profile.measure(.elementwise) {
    LatheKernels.leakyRelu(x.pointer, slope: slope, storage.pointer, count: x.shape.count)
  }
  return record(storage, x.shape, .leakyRelu(slope: slope), from: [x], keepingOutput: true) {
    [gate($0.gradient, where: $0.output, slope: slope)]
  }
}

/// 1 / x, element by element.
public func reciprocal(_ x: Tensor) -> Tensor {
  map(.reciprocal, x, keepingOutput: true) { -$0.gradient * $0.output.squared }
}

/// |x|, element by element; the slope at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  map(.absolute, x) { $0.gradient * map(.sign, x.detached) { _ in Tensor(filledWith: 0) } }
}

/// The nearest integer, of two the even one, element by element; gradients pass as if it were x.
///
/// The straight-through estimator of Bengio, Léonard and Courville, "Estimating or Propagating
/// Gradients Through Stochastic Neurons for Conditional Computation", 2013.
public func roundedStraightThrough(_ x: Tensor) -> Tensor { map(.round, x) { $0.gradient } }

extension Tensor {
  /// x², element by element.
  public var squared: Tensor { map(.square, self) { 2 * $0.gradient * self } }

  /// The nearest value within `bounds`, element by element; no gradient flows from outside.
  public func clamped(to bounds: ClosedRange<Float>) -> Tensor {
    let storage = Storage(count: shape.count)
    Profile.measure(.elementwise) {
      LatheKernels.clamp(
        pointer, from: bounds.lowerBound, to: bounds.upperBound, storage.pointer, count: shape.count
      )
    }
    let operation = Operation.clamp(from: bounds.lowerBound, to: bounds.upperBound)
    return record(storage, shape, operation, from: [self]) {
      [clampGate($0.gradient, where: self, bounds)]
    }
  }
}

private func map(
  _ op: LatheKernels.Unary, _ x: Tensor, keepingOutput: Bool = false,
  rule: @escaping (Pullback) -> Tensor
) -> Tensor {
  let storage = Storage(count: x.shape.count)
  Profile.measure(.elementwise) {
    LatheKernels.map(op, x.pointer, storage.pointer, count: x.shape.count)
  }
  return record(storage, x.shape, .unary(op), from: [x], keepingOutput: keepingOutput) {
    [rule($0)]
  }
}

/// `gradient` where x is positive, `slope` · `gradient` elsewhere.
func gate(_ gradient: Tensor, where x: Tensor, slope: Float) -> Tensor {
  let storage = Storage(count: x.shape.count)
  Profile.measure(.elementwise) {
    LatheKernels.leakyGate(
      gradient.pointer, x.pointer, slope: slope, storage.pointer, count: x.shape.count)
  }
  return record(storage, x.shape, .other("gate"), from: [gradient]) {
    [gate($0.gradient, where: x, slope: slope)]
  }
}

private func clampGate(_ gradient: Tensor, where x: Tensor, _ bounds: ClosedRange<Float>) -> Tensor
{
  let storage = Storage(count: x.shape.count)
  Profile.measure(.elementwise) {
    LatheKernels.clampGate(
      gradient.pointer, x.pointer, from: bounds.lowerBound, to: bounds.upperBound, storage.pointer,
      count: x.shape.count)
  }
  return record(storage, x.shape, .other("clampGate"), from: [gradient]) {
    [clampGate($0.gradient, where: x, bounds)]
  }
}
