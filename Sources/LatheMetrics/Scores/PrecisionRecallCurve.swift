import LatheFiles
import Glibc
import LatheTensors

/// How much of the evaluated distribution lies in the reference (precision) and the other way round
/// (recall), for every exchange rate between the two.
///
/// Sajjadi et al., "Assessing Generative Models via Precision and Recall", NeurIPS 2018, Section 3
/// and Algorithm 1: for a slope λ, α(λ) = Σ min(λ r, p) is a precision and β(λ) = α(λ)/λ a recall.
public struct PrecisionRecallCurve: Sendable, Equatable {
  /// α, each in [0, 1], for slopes in ascending order.
  public let precision: [Double]
  /// β, each in [0, 1], for the same slopes.
  public let recall: [Double]

  /// Of two distributions over the same clusters.
  ///
  /// Slopes are tangents of `angles` equally spaced angles from 10⁻¹⁰ to π/2 − 10⁻¹⁰.
  public init(evaluated: [Double], reference: [Double], angles: Int = 1001) {
    require(
      evaluated.count == reference.count && angles >= 3,
      "PrecisionRecallCurve: \(evaluated.count) and \(reference.count) clusters, \(angles) angles")
    let (first, last) = (1e-10, Double.pi / 2 - 1e-10)
    let slopes = (0..<angles).map { index in
      tan(
        index == angles - 1 ? last : first + Double(index) * ((last - first) / Double(angles - 1)))
    }
    let shared = slopes.map { slope in
      zip(evaluated, reference).reduce(0) { $0 + min(slope * $1.1, $1.0) }
    }
    precision = shared.map { min(1, $0) }
    recall = zip(shared, slopes).map { min(1, $0 / $1) }
  }

  /// The mean of curves over the same slopes, point by point.
  public init(meanOf curves: [PrecisionRecallCurve]) {
    require(!curves.isEmpty, "PrecisionRecallCurve: the mean of no curves")
    func mean(_ path: KeyPath<PrecisionRecallCurve, [Double]>) -> [Double] {
      curves[0][keyPath: path].indices.map { index in
        curves.reduce(0) { $0 + $1[keyPath: path][index] } / Double(curves.count)
      }
    }
    (precision, recall) = (mean(\.precision), mean(\.recall))
  }

  /// The largest F_β on the curve; β above 1 weighs recall, below 1 precision.
  ///
  /// Concretely, (1 + β²)pr / (β²p + r + 10⁻¹⁰).
  public func bestF(_ beta: Double) -> Double {
    let square = beta * beta
    return zip(precision, recall).reduce(0) { best, point in
      let (p, r) = point
      return max(best, (1 + square) * p * r / (square * p + r + 1e-10))
    }
  }

  /// The curve in one number for precision, F_1/8.
  public var precisionScore: Double { bestF(1 / 8) }
  /// The curve in one number for recall, F_8.
  public var recallScore: Double { bestF(8) }
}
