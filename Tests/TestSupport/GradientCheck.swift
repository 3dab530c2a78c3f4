import LatheTensors
import Testing

/// A function of tensors under test.
public typealias TensorFunction = ([Tensor]) -> Tensor

/// Expects the gradients of `function` to be those of central differences, at random inputs within
/// `range`.
public func expectGradients(
  of function: @escaping TensorFunction, at shapes: [Shape], in range: ClosedRange<Float> = -1...1,
  relative: Float = 2e-3, seed: UInt64 = 1, sourceLocation: SourceLocation = #_sourceLocation
) {
  for text in gradientErrors(of: function, at: shapes, in: range, relative: relative, seed: seed) {
    Issue.record("\(text)", sourceLocation: sourceLocation)
  }
}

/// Expects gradients of gradients of `function` to be those of central differences of gradients.
public func expectSecondGradients(
  of function: @escaping TensorFunction, at shapes: [Shape], in range: ClosedRange<Float> = -1...1,
  relative: Float = 4e-3, seed: UInt64 = 1, sourceLocation: SourceLocation = #_sourceLocation
) {
  // The sum of all first gradients, each weighted at random, is a function like any other.
  let slope: TensorFunction = { inputs in
    let variables = inputs.map { $0.isDifferentiable ? $0 : $0.differentiable() }
    let y = weighted(function(variables), RandomSource(seed: seed).derived("outer"))
    let found = gradients(of: y, withRespectTo: variables)
    return zip(found.indices, found).reduce(Tensor(filledWith: 0)) {
      $0 + weighted($1.1, RandomSource(seed: seed).derived("inner").derived($1.0))
    }
  }
  for text in gradientErrors(of: slope, at: shapes, in: range, relative: relative, seed: seed) {
    Issue.record("second order: \(text)", sourceLocation: sourceLocation)
  }
}

/// What is wrong with the gradients of `function`, an entry for each input that fails.
public func gradientErrors(
  of function: TensorFunction, at shapes: [Shape], in range: ClosedRange<Float>, relative: Float,
  seed: UInt64
) -> [String] {
  let random = RandomSource(seed: seed)
  let width = range.upperBound - range.lowerBound
  let inputs = shapes.enumerated().map {
    random.derived($0).uniform("input", $1) * width + range.lowerBound
  }
  func value(_ inputs: [Tensor]) -> Tensor { weighted(function(inputs), random.derived("weights")) }

  let variables = inputs.map { $0.differentiable() }
  let found = gradients(of: value(variables), withRespectTo: variables)
  return inputs.indices.compactMap { place in
    let expected = centralDifferences(of: value, at: inputs, varying: place)
    if found[place].shape != shapes[place] { return "input \(place): shape \(found[place].shape)" }
    return difference(found[place].values, expected, relative: relative, absolute: relative * 1e-2)
      .map { "input \(place) \($0)" }
  }
}

/// Σ w y with fixed random weights, so that no error hides in a symmetric sum.
private func weighted(_ y: Tensor, _ random: RandomSource) -> Tensor {
  (y * (random.uniform("weights", y.shape) + 0.5)).sum()
}

private func centralDifferences(
  of value: ([Tensor]) -> Tensor, at inputs: [Tensor], varying place: Int
) -> [Float] {
  let step: Float = 1 / 128
  return inputs[place].values.indices.map { index in
    func shifted(_ shift: Float) -> Double {
      var values = inputs[place].values
      values[index] += shift
      var moved = inputs
      moved[place] = Tensor(values, shape: inputs[place].shape)
      return Double(value(moved).scalar)
    }
    return Float((shifted(step) - shifted(-step)) / Double(2 * step))
  }
}
