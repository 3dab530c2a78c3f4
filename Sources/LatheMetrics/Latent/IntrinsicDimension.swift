import Glibc
import LatheFiles

/// How many dimensions samples fill, by the distances to their nearest neighbours.
public struct IntrinsicDimension: Sendable, Equatable {
  /// TwoNN, of the ratios μ = r₂ / r₁ of the distances to the second and the first neighbour.
  ///
  /// Facco, d'Errico, Rodriguez and Laio, "Estimating the intrinsic dimension of datasets by a
  /// minimal neighborhood information", Scientific Reports 7, 2017. Concretely, the slope of the
  /// line through the origin fitted to −log(1 − i/N) over log μᵢ, μ in ascending order, without its
  /// largest 10 %.
  public let twoNN: Double
  /// The mean over k = 10 … 20 of the maximum-likelihood estimate from k neighbours.
  ///
  /// Levina and Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension", NIPS 2004, Eqs. 8
  /// and 9, with the average over samples of the inverses, as MacKay and Ghahramani, "Comments on
  /// 'Maximum Likelihood Estimation of Intrinsic Dimension' by E. Levina and P. Bickel", 2005, have
  /// it. Concretely, of one k it is 1 / E[1/(k − 1) Σ log(T_k / T_j)], j < k.
  public let maximumLikelihood: Double

  /// Neighbours whose distances are needed.
  public static let neighbors = 20
  private static let fewestNeighbors = 10

  /// Of samples no two of which are equal (``Features/distinct``): 20 neighbours of each, nearest
  /// first, itself not among them.
  ///
  /// - Throws: `ScoreError`: fewer than 21 samples, neighbours that could not be found as samples
  ///   are not finite, or distances so regular that there is no slope.
  public init(neighbors: [[Neighbor]]) throws(ScoreError) {
    let k = Self.neighbors
    guard neighbors.count > k else {
      throw .tooFew("distinct samples for \(k) neighbours", needed: k + 1, found: neighbors.count)
    }
    let distances = neighbors.map { $0.prefix(k).map(\.distance) }
    guard distances.allSatisfy({ $0.count == k && $0[0] > 0 && $0[k - 1].isFinite }) else {
      throw .notFinite("ratios of distances")
    }
    twoNN = Self.slope(distances.map { log($0[1] / $0[0]) }.sorted())
    let estimates = (Self.fewestNeighbors...k).map { Self.estimate(distances, neighbors: $0) }
    maximumLikelihood = estimates.reduce(0, +) / Double(estimates.count)
    guard twoNN.isFinite, maximumLikelihood.isFinite else { throw .notFinite("dimension") }
  }

  private static func slope(_ logRatios: [Double]) -> Double {
    let count = logRatios.count
    var (products, squares) = (0.0, 0.0)
    for (i, x) in logRatios.prefix(count * 9 / 10).enumerated() {
      products -= x * log1p(-Double(i + 1) / Double(count))
      squares += x * x
    }
    return products / squares
  }

  private static func estimate(_ distances: [[Double]], neighbors k: Int) -> Double {
    let inverses = distances.map { distances in
      let farthest = log(distances[k - 1])
      return distances[..<(k - 1)].reduce(0) { $0 + farthest - log($1) } / Double(k - 1)
    }
    return Double(inverses.count) / inverses.reduce(0, +)
  }
}

extension Features {
  /// Each vector once, in the order of the first ones.
  public var distinct: Features {
    var seen: Set<ArraySlice<Float>> = []
    let first = (0..<count).filter { seen.insert(self[$0]).inserted }
    return first.count == count ? self : self[rows: first]
  }
}
