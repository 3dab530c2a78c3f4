import Foundation
import LatheModels
import LatheTensors
import Testing

@Suite struct VonMisesFisherTests {
  /// In three dimensions A(κ) = coth κ − 1 / κ and log C(κ) |S| = log (κ / sinh κ).
  @Test(arguments: [0.1, 1, 5, 40, 700]) func klInThreeDimensions(_ kappa: Double) {
    let (value, slope) = uniformKL(kappa, dimensions: 3)
    // log sinh κ = κ + log (1 − e^(−2κ)) − log 2
    let logSinh = kappa + log1p(-exp(-2 * kappa)) - log(2)
    let expected = kappa / tanh(kappa) - 1 + log(kappa) - logSinh
    #expect(abs(value - expected) < 1e-9 * max(1, kappa))
    let step = 1e-4 * kappa
    let difference =
      (uniformKL(kappa + step, dimensions: 3).value - uniformKL(kappa - step, dimensions: 3).value)
      / (2 * step)
    #expect(abs(slope - difference) < 1e-5 * max(1, abs(slope)))
  }

  @Test(arguments: [4, 10, 50]) func klSlopeIsThatOfCentralDifferences(_ dimensions: Int) {
    for kappa in [0.5, 3, 30, 300] {
      let step = 1e-4 * kappa
      let above = uniformKL(kappa + step, dimensions: dimensions).value
      let below = uniformKL(kappa - step, dimensions: dimensions).value
      let slope = uniformKL(kappa, dimensions: dimensions).slope
      #expect(abs(slope - (above - below) / (2 * step)) < 1e-5 * max(1, abs(slope)))
    }
    let x = Tensor([0.7, 4], shape: [2, 1]).differentiable()
    let slopes = gradients(
      of: uniformKL(x, dimensions: dimensions).sum(), withRespectTo: [x])[0].values
    #expect(abs(slopes[0] - Float(uniformKL(0.7, dimensions: dimensions).slope)) < 1e-5)
  }

  /// Draws have length 1, and their mean along μ is A(κ) = coth κ − 1 / κ.
  @Test func drawsAreOnTheSphere() {
    let (count, kappa) = (4000, Float(4))
    let direction = Tensor((0..<3 * count).map { [0.6, 0, -0.8][$0 % 3] }, shape: [count, 3])
    let posterior = VonMisesFisher(
      mean: direction, concentration: Tensor(filledWith: kappa, shape: [count, 1]))
    let draws = posterior.sample(using: RandomSource(seed: 3))
    let lengths = draws.norm(axis: 1).values
    #expect(lengths.allSatisfy { abs($0 - 1) < 1e-3 })
    let along = (draws * direction).sum(1).mean().scalar
    #expect(abs(along - (1 / tanh(kappa) - 1 / kappa)) < 0.015)
  }
}
