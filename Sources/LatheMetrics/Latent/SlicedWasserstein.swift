import LatheFiles
import LatheKernels
import LatheTensors

/// The sliced 2-Wasserstein distance of two sets of as many vectors: √E_θ[W₂²], W₂ between their
/// projections onto a direction θ, uniform on the unit sphere.
///
/// Bonneel, Rabin, Peyré and Pfister, "Sliced and Radon Wasserstein Barycenters of Measures",
/// Journal of Mathematical Imaging and Vision 51, 2015. In one dimension W₂² is the mean squared
/// difference of the sorted values. Two laws that differ by a shift δ are ‖δ‖ / √d apart.
public struct SlicedWasserstein: Sendable {
  /// Directions that the mean is taken over.
  public var directions = 500
  /// What they are drawn from.
  public var seed: UInt64 = 0

  /// Of 500 directions unless told otherwise.
  public init(directions: Int = 500, seed: UInt64 = 0) {
    (self.directions, self.seed) = (directions, seed)
  }

  /// - Throws: `ScoreError`: sizes that differ, no vectors, or values that are not finite.
  public func callAsFunction(_ one: Features, _ other: Features) throws(ScoreError) -> Double {
    try checkDimensions(one, other)
    if one.count != other.count {
      throw .sizes("vectors", expected: one.count, found: other.count)
    }
    if one.count == 0 { throw .tooFew("vectors", needed: 1, found: 0) }
    for set in [one, other] where !set.values.allSatisfy(\.isFinite) { throw .notFinite("vectors") }
    let sets = [one, other].map { DoubleMatrix($0, rows: 0..<$0.count) }
    let all = unitVectors(one.dimensions)
    var sum = 0.0
    for first in stride(from: 0, to: directions, by: Self.block) {
      let rows = first..<min(first + Self.block, directions)
      sum += Self.squaredDistances(sets, along: all.rows(rows)).reduce(0, +)
    }
    return (sum / Double(directions)).squareRoot()
  }

  /// Directions whose projections are in memory at once.
  private static let block = 32

  /// `[directions, dimensions]`.
  private func unitVectors(_ dimensions: Int) -> DoubleMatrix {
    let random = RandomSource(seed: seed).derived("directions")
    let values = random.normal("direction", [directions, dimensions]).values.map { Double($0) }
    let unit = stride(from: 0, to: values.count, by: dimensions).flatMap { start in
      let row = values[start..<start + dimensions]
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / norm }
    }
    return DoubleMatrix(unit, rows: directions, columns: dimensions)
  }

  /// W₂² of the projections of two sets onto each direction.
  private static func squaredDistances(
    _ sets: [DoubleMatrix], along directions: DoubleMatrix
  ) -> [Double] {
    let projections = sets.map { directions.times($0, transposed: true) }
    let count = sets[0].rows
    var distances = [Double](repeating: 0, count: directions.rows)
    distances.withUnsafeMutableBufferPointer { distances in
      let distances = distances
      Workers.forEach(directions.rows) { row, _ in
        let sorted = projections.map { $0.values[row * count..<(row + 1) * count].sorted() }
        let sum = zip(sorted[0], sorted[1]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        distances[row] = sum / Double(count)
      }
    }
    return distances
  }
}
