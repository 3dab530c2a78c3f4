import Foundation
import LatheNN
import LatheTensors
import TestSupport
import Testing

/// Distances of samples by their projections onto lines.
@Suite struct ProjectedDistanceTests {
  private let random = RandomSource(seed: 9)

  /// Unit vectors, each `[m]`.
  private func directions(_ count: Int, _ m: Int) -> [[Double]] {
    let values = random.normal("direction", [count, m]).values.map { Double($0) }
    return stride(from: 0, to: values.count, by: m).map { start in
      let row = Array(values[start..<start + m])
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / norm }
    }
  }

  /// ∫ (p − q)² on a line, p the sample smoothed by N(0, width) and q = N(0, 1 + width): products
  /// of normal densities are normal densities of differences.
  private func distanceOnALine(_ points: [Double], width: Double) -> Double {
    func normal(_ x: Double, _ variance: Double) -> Double {
      exp(-x * x / (2 * variance)) / (2 * .pi * variance).squareRoot()
    }
    let n = Double(points.count)
    let within = points.map { a in points.reduce(0) { $0 + normal(a - $1, 2 * width) } }
    let across = points.reduce(0) { $0 + normal($1, 1 + 2 * width) }
    return within.reduce(0, +) / (n * n) + normal(0, 2 + 2 * width) - 2 * across / n
  }

  /// The closed form against the definition: the mean over lines, times 2 √π. The approximation for
  /// many dimensions is off by 0.01 at 24, where a shift by 1 is 0.29.
  @Test(arguments: [Float(0), 1]) func cramerWoldIsTheMeanOverLines(_ shift: Float) {
    let (n, m) = (40, 24)
    let codes = random.normal("codes", [n, m]) + shift
    let rows = codes.values.map { Double($0) }
    let width = pow(4 / (3 * Double(n)), 0.4)
    let lines = directions(2000, m).map { direction in
      let points = (0..<n).map { row in
        (0..<m).reduce(0) { $0 + rows[row * m + $1] * direction[$1] }
      }
      return distanceOnALine(points, width: width)
    }
    let expected = 2 * Double.pi.squareRoot() * lines.reduce(0, +) / Double(lines.count)
    let found = Double(cramerWoldDistance(codes).scalar)
    #expect(abs(found - expected) < 0.015, "\(found), expected \(expected)")
    #expect(shift == 0 || found > 0.2)
  }

  /// A shift by δ is ‖δ‖² / m away, the mean over directions of (θ · δ)².
  @Test func slicedWassersteinOfAShift() {
    let (n, m) = (30, 4)
    let y = random.normal("y", [n, m])
    let shift = Tensor([3, 0, 4, 0], shape: [1, m])
    let directions = random.normal("directions", [4000, m])
    let rows = Tensor(y.gather(Array((0..<n).reversed())).values, shape: [n, m])
    let found = slicedWassersteinDistance(rows + shift, y, along: directions).scalar
    #expect(abs(found - 25 / 4) < 0.2, "\(found)")
    #expect(slicedWassersteinDistance(rows, y, along: directions).scalar < 1e-9)
  }

  @Test func gradients() {
    expectGradients(of: { cramerWoldDistance($0[0]) }, at: [[5, 4]], in: -2...2)
    let (y, directions) = (random.normal("y", [5, 3]), random.normal("directions", [6, 3]))
    expectGradients(
      of: { slicedWassersteinDistance($0[0], y, along: directions) }, at: [[5, 3]], in: -2...2,
      relative: 1e-2)
  }
}
