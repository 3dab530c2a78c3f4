import Foundation
import LatheFiles

/// How far two orders of the same things agree: Kendall's τ_b, which takes ties into account.
///
/// Kendall, "The Treatment of Ties in Ranking Problems", Biometrika 33, 1945.
public struct RankCorrelation: Sendable {
  /// From −1, the reverse order, to 1, the same.
  public let value: Double
  /// The interval that holds the τ of a larger sample in 95 of 100 cases; nil below five pairs.
  ///
  /// By Fisher's transformation: the deviation of artanh τ is about √(0.437 / (n − 4)) (Fieller,
  /// Hartley and Pearson, "Tests for Rank Correlation Coefficients", Biometrika 44, 1957).
  public let interval: ClosedRange<Double>?

  /// The agreement of `a[i]` with `b[i]`; nil if one of them is the same for all i, or there are
  /// fewer than two.
  public init?(_ a: [Double], _ b: [Double]) {
    require(a.count == b.count, "RankCorrelation: \(a.count) and \(b.count) values")
    var (sum, ownTies, otherTies) = (0.0, 0.0, 0.0)
    for i in a.indices {
      for j in 0..<i {
        let (x, y) = (Self.sign(a[i] - a[j]), Self.sign(b[i] - b[j]))
        sum += x * y
        ownTies += abs(x)
        otherTies += abs(y)
      }
    }
    guard ownTies > 0, otherTies > 0 else { return nil }
    value = sum / (ownTies * otherTies).squareRoot()
    interval = Self.interval(around: value, count: a.count)
  }

  private static func sign(_ difference: Double) -> Double {
    difference > 0 ? 1 : difference < 0 ? -1 : 0
  }

  private static func interval(around value: Double, count: Int) -> ClosedRange<Double>? {
    guard count > 4 else { return nil }
    let room = 1.959964 * (0.437 / Double(count - 4)).squareRoot()
    let centre = atanh(max(-1 + 1e-12, min(1 - 1e-12, value)))
    return tanh(centre - room)...tanh(centre + room)
  }
}
