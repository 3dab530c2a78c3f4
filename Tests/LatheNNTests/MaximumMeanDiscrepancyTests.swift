import Foundation
import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct MaximumMeanDiscrepancyTests {
  private static let m = 3

  /// Pair by pair in double precision.
  private func pairwise(_ x: [Float], _ y: [Float], _ kernel: MMDKernel, standardDeviation: Double)
    -> Double
  {
    let m = Self.m
    let n = x.count / m
    func similarity(_ a: [Float], _ i: Int, _ b: [Float], _ j: Int) -> Double {
      let d = (0..<m).reduce(0.0) { $0 + pow(Double(a[i * m + $1]) - Double(b[j * m + $1]), 2) }
      let unit = 2 * Double(m) * standardDeviation * standardDeviation
      if kernel == .radialBasis { return exp(-d / unit) }
      return [0.1, 0.2, 0.5, 1, 2, 5, 10].reduce(0) { $0 + $1 * unit / ($1 * unit + d) }
    }
    var (within, across) = (0.0, 0.0)
    for i in 0..<n {
      for j in 0..<n {
        across += similarity(x, i, y, j)
        if i != j { within += similarity(x, i, x, j) + similarity(y, i, y, j) }
      }
    }
    return within / Double(n * (n - 1)) - 2 * across / Double(n * n)
  }

  private func samples(_ n: Int, seed: UInt64) -> (Tensor, Tensor) {
    let random = RandomSource(seed: seed)
    return (
      random.normal("x", [n, Self.m]) * 0.5 + 1, random.normal("y", [n, Self.m])
    )
  }

  @Test(arguments: MMDKernel.allCases, [Float(1), 2])
  func equalsTheSumOverPairs(_ kernel: MMDKernel, _ standardDeviation: Float) {
    let (x, y) = samples(20, seed: 3)
    let found = maximumMeanDiscrepancy(x, y, kernel: kernel, standardDeviation: standardDeviation)
      .scalar
    let expected = pairwise(
      x.values, y.values, kernel, standardDeviation: Double(standardDeviation))
    expectClose([found], [Float(expected)], relative: 1e-5)
  }

  /// Twice the same two points at distance d: 2 k(d) within the samples, 2 (2 k(0) + 2 k(d)) / 4
  /// across.
  @Test func closedFormForTwoPoints() {
    let x = Tensor([0, 0, 0, 2, 0, 0], shape: [2, 3])
    let near = exp(Float(-4) / 6)
    let found = maximumMeanDiscrepancy(x, x, kernel: .radialBasis).scalar
    expectClose([found], [2 * near - (1 + near)], relative: 1e-5)
  }

  /// Unbiased: between samples of one distribution it is zero on average.
  @Test(arguments: MMDKernel.allCases) func zeroOnAverage(_ kernel: MMDKernel) {
    let (rounds, n) = (400, 10)
    let values = (0..<rounds).map { round in
      let random = RandomSource(seed: 5).derived(round)
      return maximumMeanDiscrepancy(
        random.normal("x", [n, Self.m]), random.normal("y", [n, Self.m]), kernel: kernel
      ).scalar
    }
    let mean = values.reduce(0, +) / Float(rounds)
    let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Float(rounds - 1)
    let error = (variance / Float(rounds)).squareRoot()
    #expect(mean.magnitude < 4 * error)
  }

  @Test(arguments: MMDKernel.allCases) func gradients(_ kernel: MMDKernel) {
    let discrepancy: TensorFunction = { maximumMeanDiscrepancy($0[0], $0[1], kernel: kernel) }
    expectGradients(of: discrepancy, at: [[4, 3], [4, 3]], in: -2...2)
    expectSecondGradients(of: discrepancy, at: [[4, 3], [4, 3]], in: -2...2, relative: 1e-2)
  }
}
