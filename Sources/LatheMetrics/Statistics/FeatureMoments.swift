// Goals, in order:
// 1. Each sample counts once, whatever the number of ranks and the order of chunks.
// 2. No cancellation: sums are about means, never about zero.
// 3. Speed: one symmetric product for each chunk.
import LatheFiles
import LatheTensors

/// Running count, mean and scatter of feature vectors, in double precision.
///
/// Chunks are joined as in Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for
/// Computing Sample Variances", 1979: S = S₁ + S₂ + (n₁n₂/n)(m₂ − m₁)(m₂ − m₁)ᵀ.
public struct FeatureMoments: Sendable {
  /// Length of a vector.
  public let dimensions: Int
  /// Samples so far.
  public private(set) var count = 0
  private var mean: [Double]
  /// Σ (x − mean)(x − mean)ᵀ, in its lower triangle.
  private var scatter: DoubleMatrix

  /// Of no samples yet.
  public init(dimensions: Int) {
    self.dimensions = dimensions
    mean = [Double](repeating: 0, count: dimensions)
    scatter = DoubleMatrix(
      [Double](repeating: 0, count: dimensions * dimensions), rows: dimensions, columns: dimensions)
  }

  /// Takes in samples.
  public mutating func add(_ features: Features) {
    require(
      features.dimensions == dimensions,
      "FeatureMoments: vectors of \(features.dimensions), expected \(dimensions)")
    for first in stride(from: 0, to: features.count, by: Self.chunk) {
      addChunk(
        DoubleMatrix(features, rows: first..<min(first + Self.chunk, features.count)))
    }
  }

  /// Samples whose deviations are multiplied at once.
  private static let chunk = 100

  private mutating func addChunk(_ chunk: DoubleMatrix) {
    let center = chunk.meanOfRows
    let (old, new) = (Double(count), Double(chunk.rows))
    let step = zip(center, mean).map(-)
    let weight = (old * new / (old + new)).squareRoot()
    let deviations = chunk.subtracting(center)
    scatter.addGram(
      of: DoubleMatrix(
        deviations.values + step.map { weight * $0 }, rows: chunk.rows + 1, columns: dimensions))
    for i in mean.indices { mean[i] += step[i] * new / (old + new) }
    count += chunk.rows
  }

  /// Mean and covariance of what was taken in.
  ///
  /// - Throws: `ScoreError`: fewer than 2 samples, or numbers that are not finite.
  public func statistics() throws(ScoreError) -> FeatureStatistics {
    if count < 2 { throw .tooFew("samples for a covariance", needed: 2, found: count) }
    var covariance = scatter.values
    covariance.withUnsafeMutableBufferPointer { matrix in
      for i in 0..<dimensions {
        for j in 0...i {
          let value = matrix[i * dimensions + j] / Double(count - 1)
          matrix[i * dimensions + j] = value
          matrix[j * dimensions + i] = value
        }
      }
    }
    return try FeatureStatistics(count: count, mean: mean, covariance: covariance)
  }
}

extension DoubleMatrix {
  fileprivate var meanOfRows: [Double] {
    var sums = [Double](repeating: 0, count: columns)
    values.withUnsafeBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        for row in 0..<rows {
          for column in 0..<columns { sums[column] += values[row * columns + column] }
        }
      }
    }
    return sums.map { $0 / Double(rows) }
  }

  fileprivate func subtracting(_ center: [Double]) -> DoubleMatrix {
    var result = self
    result.values.withUnsafeMutableBufferPointer { values in
      center.withUnsafeBufferPointer { center in
        for row in 0..<rows {
          for column in 0..<columns { values[row * columns + column] -= center[column] }
        }
      }
    }
    return result
  }
}
