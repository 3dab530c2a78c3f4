import LatheFiles
import LatheTensors

/// Fidelity and diversity by balls around samples, each reaching to its k-th neighbour in its own
/// set.
///
/// Density and coverage: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative
/// Models", ICML 2020, Eqs. 2 and 3; precision and recall: Kynkäänniemi et al., "Improved Precision
/// and Recall Metric for Assessing Generative Models", NeurIPS 2019, Eqs. 1 to 3. A point on a
/// ball's surface is outside.
public struct NeighborhoodScores: Sendable, Equatable {
  /// Share of generated samples inside the ball of any real one.
  public let precision: Double
  /// Share of real samples inside the ball of any generated one.
  public let recall: Double
  /// Real balls that hold a generated sample, its mean over generated samples divided by k; can
  /// exceed 1.
  public let density: Double
  /// Share of real balls that hold a generated sample.
  public let coverage: Double

  /// Of `generated` samples against `real` ones, with balls up to the `neighbors`-th neighbour.
  ///
  /// - Throws: `ScoreError`: dimensions that differ, no more samples than neighbours, features that
  ///   are not finite.
  public init(
    generated: Features, real: Features, neighbors: Int = 5
  ) throws(ScoreError) {
    require(neighbors > 0, "NeighborhoodScores: \(neighbors) neighbours")
    try checkDimensions(real, generated)
    for set in [real, generated] where set.count <= neighbors {
      throw .tooFew("samples for balls", needed: neighbors + 1, found: set.count)
    }
    for set in [real, generated] where !set.values.allSatisfy(\.isFinite) {
      throw .notFinite("features")
    }
    let realRadii = Self.squaredRadii(real, neighbors)
    let generatedRadii = Self.squaredRadii(generated, neighbors)
    // Real balls that hold each generated sample.
    var balls = [Int](repeating: 0, count: generated.count)
    var (recalled, covered) = (0, 0)
    PairwiseDistances(real, generated).forEachRow { row, distances in
      var (isRecalled, isCovered) = (false, false)
      for (i, distance) in distances.enumerated() {
        if distance < realRadii[row] {
          balls[i] += 1
          isCovered = true
        }
        if distance < generatedRadii[i] { isRecalled = true }
      }
      recalled += isRecalled ? 1 : 0
      covered += isCovered ? 1 : 0
    }
    let count = Double(generated.count)
    precision = Double(balls.count { $0 > 0 }) / count
    density = Double(balls.reduce(0, +)) / (Double(neighbors) * count)
    recall = Double(recalled) / Double(real.count)
    coverage = Double(covered) / Double(real.count)
  }

  /// Squared distance of each sample to its k-th neighbour, itself not counted.
  private static func squaredRadii(_ set: Features, _ neighbors: Int) -> [Double] {
    var radii = [Double](repeating: 0, count: set.count)
    PairwiseDistances(set, set).forEachRow { row, distances in
      var nearest = NearestList(count: neighbors)
      for (i, distance) in distances.enumerated() where i != row && distance < nearest.limit {
        nearest.insert(Neighbor(number: i, distance: distance))
      }
      radii[row] = nearest.limit
    }
    return radii
  }
}
