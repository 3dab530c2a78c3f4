import TestSupport
import LatheTensors
import Testing

@Suite struct DirectionalDerivativeTests {
  private func smooth(_ x: Tensor, _ weight: Tensor) -> Tensor { tanh(matmul(x, weight)) }

  /// A layer with batch norm, whose images depend on one another.
  private func normalized(_ inputs: [Tensor]) -> (Tensor) -> Tensor {
    { x in
      batchNormalization(
        matmul(x, inputs[1]), gamma: inputs[2], beta: inputs[3], epsilon: 0.1
      ).output.squared
    }
  }

  @Test func isThatOfCentralDifferences() {
    let random = RandomSource(seed: 1)
    let (x, v) = (random.normal("x", [3, 4]), random.normal("v", [3, 4]))
    let weight = random.normal("weight", [4, 5])
    let (value, derivative) = directionalDerivative(of: { smooth($0, weight) }, at: x, along: v)
    #expect(value.values == smooth(x, weight).values)
    let step: Float = 1 / 128
    let rise = (smooth(x + step * v, weight) - smooth(x - step * v, weight)) / (2 * step)
    expectClose(derivative, rise, relative: 1e-3)
    #expect(difference(derivative.values, (2 * rise).values, relative: 1e-3) != nil)
  }

  @Test func canBeDifferentiatedAgain() {
    expectGradients(
      of: { inputs in
        directionalDerivative(of: normalized(inputs), at: inputs[0], along: inputs[4]).derivative
      }, at: [[4, 3], [3, 2], [2], [2], [4, 3]], relative: 5e-3)
  }
}
