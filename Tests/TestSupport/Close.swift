import LatheTensors
import Testing

/// How far `values` are from `expected`: nil within tolerance, else the worst place.
///
/// The tolerance is `relative` times the largest expected magnitude, plus `absolute`.
public func difference(
  _ values: [Float], _ expected: [Float], relative: Float, absolute: Float = 0
) -> String? {
  guard values.count == expected.count else {
    return "\(values.count) values, expected \(expected.count)"
  }
  let scale = expected.map(\.magnitude).filter(\.isFinite).max() ?? 0
  let allowed = relative * scale + absolute
  func error(_ index: Int) -> Float {
    if values[index] == expected[index] { return 0 }
    let error = (values[index] - expected[index]).magnitude
    return error.isNaN ? .infinity : error
  }
  guard let worst = values.indices.max(by: { error($0) < error($1) }), error(worst) > allowed else {
    return nil
  }
  return
    "at \(worst): \(values[worst]), expected \(expected[worst]), "
    + "off by \(error(worst)), allowed \(allowed)"
}

/// Expects numbers within `relative` times the largest expected magnitude, plus `absolute`.
public func expectClose(
  _ values: [Float], _ expected: [Float], relative: Float, absolute: Float = 0, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let text = difference(values, expected, relative: relative, absolute: absolute) else {
    return
  }
  Issue.record("\(name) \(text)", sourceLocation: sourceLocation)
}

/// Expects a tensor of a shape with numbers within tolerance.
public func expectClose(
  _ tensor: Tensor, _ expected: [Float], shape: Shape, relative: Float, absolute: Float = 0,
  _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard tensor.shape == shape else {
    Issue.record(
      "\(name): shape \(tensor.shape), expected \(shape)", sourceLocation: sourceLocation)
    return
  }
  expectClose(
    tensor.values, expected, relative: relative, absolute: absolute, name,
    sourceLocation: sourceLocation)
}

/// Expects two tensors of equal shapes and nearly equal numbers.
public func expectClose(
  _ tensor: Tensor, _ expected: Tensor, relative: Float, absolute: Float = 0, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(
    tensor, expected.values, shape: expected.shape, relative: relative, absolute: absolute, name,
    sourceLocation: sourceLocation)
}
