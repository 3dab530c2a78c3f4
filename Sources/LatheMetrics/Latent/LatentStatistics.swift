import LatheFiles
import LatheTensors

/// How far from independent the coordinates of codes are.
public struct LatentStatistics: Sendable, Equatable {
  /// The number of all coordinates.
  public let dimensions: Int
  /// The coordinates looked at, in ascending order.
  public let active: [Int]
  /// Row-major, `[active, active]`.
  public let covariance: [Double]

  /// Of codes' statistics, `active` coordinates only, or all.
  public init(_ codes: FeatureStatistics, active: [Int]? = nil) {
    let active = active ?? Array(0..<codes.dimensions)
    require(
      active.allSatisfy { $0 >= 0 && $0 < codes.dimensions },
      "LatentStatistics: coordinates \(active) of \(codes.dimensions)")
    self.active = active
    dimensions = codes.dimensions
    covariance = active.flatMap { row in
      active.map { codes.covariance[row * codes.dimensions + $0] }
    }
  }

  /// Coordinates that a mask leaves on: those with a value of at least `threshold`; their number is
  /// m_A.
  public static func activeCoordinates(of mask: [Float], threshold: Float = 0.1) -> [Int] {
    mask.indices.filter { mask[$0] >= threshold }
  }

  /// Row-major, `[active, active]`, with a diagonal of 1; 0 where a coordinate never changes.
  public var correlation: [Double] {
    let n = active.count
    let scales = (0..<n).map { covariance[$0 * n + $0].squareRoot() }
    return (0..<n * n).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: n)
      if row == column { return 1 }
      let scale = scales[row] * scales[column]
      return scale > 0 ? covariance[index] / scale : 0
    }
  }

  /// Mean of |Rᵢⱼ| over i ≠ j (NAC); 0 for a single coordinate.
  public var meanAbsoluteCorrelation: Double { meanOffDiagonal(correlation) }

  /// Mean of |Cᵢⱼ| over i ≠ j; 0 for a single coordinate.
  public var meanAbsoluteCovariance: Double { meanOffDiagonal(covariance) }

  private func meanOffDiagonal(_ matrix: [Double]) -> Double {
    let n = active.count
    if n < 2 { return 0 }
    let sum = matrix.enumerated().reduce(0) {
      $0 + ($1.offset / n == $1.offset % n ? 0 : abs($1.element))
    }
    return sum / Double(n * (n - 1))
  }
}
