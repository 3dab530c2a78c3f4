import LatheData

/// Precision and recall of one set of features against another, by clusters of their union.
///
/// Sajjadi et al., "Assessing Generative Models via Precision and Recall", NeurIPS 2018, Section
/// 3.3. As in the authors' computation, clusters are those of mini-batch k-means, and curves are
/// averaged over several runs.
public struct PrecisionRecall: Sendable {
  /// Clusters of the union.
  public var clusters = 20
  /// Points of a curve.
  public var angles = 1001
  /// Clusterings whose curves are averaged.
  public var runs = 10
  /// Decides how clusterings begin.
  public var seed: UInt64 = 0

  /// 20 clusters, 1,001 angles, 10 runs, unless told otherwise.
  public init(clusters: Int = 20, angles: Int = 1001, runs: Int = 10, seed: UInt64 = 0) {
    (self.clusters, self.angles, self.runs, self.seed) = (clusters, angles, runs, seed)
  }

  /// The curve of `evaluated` samples against as many `reference` samples.
  ///
  /// - Throws: `ScoreError`: dimensions or counts that differ, fewer samples than clusters,
  ///   features that are not finite.
  public func callAsFunction(
    evaluated: Features, reference: Features
  ) throws(ScoreError) -> PrecisionRecallCurve {
    try checkDimensions(reference, evaluated)
    if evaluated.count != reference.count {
      throw .sizes("evaluated samples", expected: reference.count, found: evaluated.count)
    }
    let union = evaluated + reference
    if union.count < clusters {
      throw .tooFew("samples in clusters", needed: clusters, found: union.count)
    }
    if !union.values.allSatisfy(\.isFinite) { throw .notFinite("features") }
    let curves = (0..<max(1, runs)).map { run in
      let labels = MiniBatchKMeans(clusters: clusters).labels(
        of: union, random: CounterRandom(seed: seed).stream(run))
      return curve(labels: labels, evaluated: evaluated.count)
    }
    return PrecisionRecallCurve(meanOf: curves)
  }

  /// The curve of labels, those of the evaluated samples first.
  package func curve(labels: [Int], evaluated: Int) -> PrecisionRecallCurve {
    PrecisionRecallCurve(
      evaluated: shares(labels[..<evaluated]), reference: shares(labels[evaluated...]),
      angles: angles)
  }

  private func shares(_ labels: ArraySlice<Int>) -> [Double] {
    var counts = [Double](repeating: 0, count: clusters)
    for label in labels { counts[label] += 1 }
    return counts.map { $0 / Double(labels.count) }
  }
}
