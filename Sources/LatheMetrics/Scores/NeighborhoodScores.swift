import LatheFiles
import LatheTensors

/// Fidelity and diversity by balls around samples, each reaching to its k-th neighbour in its own
/// set.
///
/// Density and coverage: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative
/// Models", ICML 2020, Eqs. 2 and 3, with k = 5; precision and recall: Kynkäänniemi et al.,
/// "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019, Eqs. 1 to
/// 3, with k = 3. A point on a ball's surface is outside.
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

  /// Of `generated` samples against `real` ones. Balls reach to the `neighbors`-th neighbour for
  /// density and coverage, to the `manifoldNeighbors`-th for precision and recall.
  ///
  /// - Throws: `ScoreError`: dimensions that differ, no more samples than neighbours, features that
  ///   are not finite.
  public init(
    generated: Features, real: Features, neighbors: Int = 5, manifoldNeighbors: Int = 3
  ) throws(ScoreError) {
    let k = [neighbors, manifoldNeighbors]
    require(k.min()! > 0, "NeighborhoodScores: \(k) neighbours")
    try checkDimensions(real, generated)
    for set in [real, generated] where set.count <= k.max()! {
      throw .tooFew("samples for balls", needed: k.max()! + 1, found: set.count)
    }
    for set in [real, generated] where !set.values.allSatisfy(\.isFinite) {
      throw .notFinite("features")
    }
    let realRadii = Self.squaredRadii(real, k)
    let generatedRadii = Self.squaredRadii(generated, [manifoldNeighbors])[0]
    let counts = BallCounts(
      generated, real, density: realRadii[0], precision: realRadii[1], recall: generatedRadii)
    let count = Double(generated.count)
    precision = Double(counts.precise.count { $0 }) / count
    density = Double(counts.balls) / (Double(neighbors) * count)
    recall = Double(counts.recalled) / Double(real.count)
    coverage = Double(counts.covered) / Double(real.count)
  }

  /// For each k, the squared distance of each sample to its k-th neighbour, itself not counted.
  private static func squaredRadii(_ set: Features, _ neighbors: [Int]) -> [[Double]] {
    var radii = neighbors.map { _ in [Double](repeating: 0, count: set.count) }
    PairwiseDistances(set, set).forEachRow { row, distances in
      var nearest = NearestList(count: neighbors.max()!)
      for (i, distance) in distances.enumerated() where i != row && distance < nearest.limit {
        nearest.insert(Neighbor(number: i, distance: distance))
      }
      for (place, k) in neighbors.enumerated() {
        radii[place][row] = nearest.neighbors[k - 1].distance
      }
    }
    return radii
  }
}

/// Which samples lie in which balls, whose squared radii are given.
private struct BallCounts {
  /// Pairs of a real ball and a generated sample in it.
  private(set) var balls = 0
  /// Real balls that hold a generated sample.
  private(set) var covered = 0
  /// Real samples in the ball of a generated one.
  private(set) var recalled = 0
  /// Whether each generated sample is in the ball of a real one.
  private(set) var precise: [Bool]

  init(
    _ generated: Features, _ real: Features, density: [Double], precision: [Double],
    recall: [Double]
  ) {
    precise = [Bool](repeating: false, count: generated.count)
    PairwiseDistances(real, generated).forEachRow { row, distances in
      var (inside, isRecalled) = (0, false)
      for (i, distance) in distances.enumerated() {
        if distance < density[row] { inside += 1 }
        if distance < precision[row] { precise[i] = true }
        if distance < recall[i] { isRecalled = true }
      }
      balls += inside
      covered += inside > 0 ? 1 : 0
      recalled += isRecalled ? 1 : 0
    }
  }
}
