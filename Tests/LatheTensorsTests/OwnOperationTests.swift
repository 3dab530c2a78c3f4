import Foundation
import LatheTensors
import TestSupport
import Testing

/// log cosh x, as a program outside the package would write it.
private func logCosh(_ x: Tensor) -> Tensor {
  let values = Storage(count: x.shape.count)
  x.withValues { for (i, x) in $0.enumerated() { values.pointer[i] = log(cosh(x)) } }
  return operation(values, shape: x.shape, from: x) { gradient, _ in [gradient * tanh(x)] }
}

/// x / (1 + y), with the rule in terms of the output.
private func share(_ x: Tensor, _ y: Tensor) -> Tensor {
  let values = Storage(count: x.shape.count)
  for (i, (x, y)) in zip(x.values, y.values).enumerated() { values.pointer[i] = x / (1 + y) }
  return operation(values, shape: x.shape, from: x, y) { gradient, output in
    [gradient / (1 + y), -1 * gradient * output / (1 + y)]
  }
}

@Suite struct OwnOperationTests {
  @Test func valuesAndGradients() {
    let x = Tensor([-2, 0, 0.5, 3], shape: [2, 2])
    expectClose(logCosh(x).values, x.values.map { log(cosh($0)) }, relative: 1e-6)
    expectGradients(of: { logCosh($0[0]) }, at: [[2, 3]], relative: 2e-3)
    expectSecondGradients(of: { logCosh($0[0]) }, at: [[2, 3]], relative: 2e-3)
  }

  @Test func twoInputs() {
    let (a, b) = (Tensor([1, 2], shape: [2]), Tensor([1, 3], shape: [2]))
    let (x, y) = (a.differentiable(), b.differentiable())
    let slopes = gradients(of: share(x, y).sum(), withRespectTo: [x, y])
    expectClose(slopes[0].values, [0.5, 0.25], relative: 1e-6)
    expectClose(slopes[1].values, [-0.25, -0.125], relative: 1e-6)
  }
}
