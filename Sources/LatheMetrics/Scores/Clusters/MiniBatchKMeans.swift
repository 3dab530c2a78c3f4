import LatheData

/// k-means on small random batches, the clusters of the precision-recall curve.
///
/// Samplers use all codes in each round (LatheModels); this one must be the variant that published
/// scores were computed with.
///
/// Sculley, "Web-Scale K-Means Clustering", WWW 2010, Algorithm 1, with what scikit-learn's
/// `MiniBatchKMeans` adds to it: it takes the best of several k-means++ initialisations, reassigns
/// centers that attract almost nothing, and stops when a running mean of the distances no longer
/// decreases. Defaults are those of scikit-learn 0.19, which the authors of the precision-recall
/// curve used.
struct MiniBatchKMeans {
  var clusters: Int
  /// Initialisations that are compared, scikit-learn's `n_init`.
  var initialisations = 10
  /// Points in a batch.
  var batchSize = 100
  /// Maximum of passes over the data, in batches.
  var passes = 100
  /// A center that attracts less than this part of what the largest one attracts is reassigned.
  var reassignmentRatio = 0.01
  /// Batches without a better running mean, after which it stops: `max_no_improvement`.
  var patience = 10

  /// The cluster of each point.
  func labels(of points: Features, random: CounterRandom) -> [Int] {
    fit(points, random: random).nearest(to: points).labels
  }

  func fit(_ points: Features, random: CounterRandom) -> Centers {
    var draws = Draws(random)
    let size = min(batchSize, points.count)
    var state = RunningCenters(initialise(points, size: size, &draws))
    var stop = StoppingRule(patience: patience, weight: 2 * Double(size) / Double(points.count + 1))
    var sinceReassignment = 0
    for _ in 0..<max(1, passes * points.count / size) {
      let batch = points[rows: draws.integers(size, below: points.count)]
      sinceReassignment += size
      let isDue = state.hasEmpty || sinceReassignment >= 10 * clusters
      if isDue { sinceReassignment = 0 }
      let distance = state.update(by: batch)
      if isDue { state.reassign(to: batch, ratio: reassignmentRatio, &draws) }
      if stop.isReached(distance / Double(size)) { break }
    }
    return state.centers
  }

  /// The initialisation whose centers are nearest to a random sample.
  private func initialise(_ points: Features, size: Int, _ draws: inout Draws) -> Centers {
    let sampleSize = min(points.count, max(3 * size, clusters > 3 * size ? 3 * clusters : 0))
    let validation = points[rows: draws.integers(sampleSize, below: points.count)]
    var best: (centers: Centers, inertia: Double)?
    for _ in 0..<initialisations {
      let sample = points[rows: draws.integers(sampleSize, below: points.count)]
      let centers = kMeansPlusPlus(clusters, in: sample, &draws)
      let inertia = centers.nearest(to: validation).distances.reduce(0.0) { $0 + Double($1) }
      if best.map({ inertia < $0.inertia }) ?? true { best = (centers, inertia) }
    }
    return best!.centers
  }
}

/// Centers with the number of points that each has attracted.
private struct RunningCenters {
  var centers: Centers
  var counts: [Double]

  init(_ centers: Centers) {
    self.centers = centers
    counts = [Double](repeating: 0, count: centers.features.count)
  }

  var hasEmpty: Bool { counts.contains(0) }

  /// Moves each center to the mean of all it has attracted; returns the sum of squared distances
  /// before.
  mutating func update(by batch: Features) -> Double {
    let (labels, distances) = centers.nearest(to: batch)
    let d = batch.dimensions
    var sums = centers.features.values.map(Double.init)
    for i in sums.indices { sums[i] *= counts[i / d] }
    for (row, label) in labels.enumerated() {
      for (i, value) in batch[row].enumerated() { sums[label * d + i] += Double(value) }
    }
    let touched = Set(labels)
    for label in labels { counts[label] += 1 }
    let old = centers.features.values
    centers.features = Features(
      sums.indices.map { touched.contains($0 / d) ? Float(sums[$0] / counts[$0 / d]) : old[$0] },
      dimensions: d)
    return distances.reduce(0.0) { $0 + Double($1) }
  }

  /// Centers of small counts, at most half as many as the batch has points, go to points of the
  /// batch.
  mutating func reassign(to batch: Features, ratio: Double, _ draws: inout Draws) {
    let minimum = ratio * (counts.max() ?? 0)
    let small = counts.indices.filter { counts[$0] < minimum }.sorted { counts[$0] < counts[$1] }
    let moved = small.prefix(batch.count / 2)
    if moved.isEmpty { return }
    let targets = draws.distinct(moved.count, below: batch.count)
    var values = centers.features.values
    for (center, target) in zip(moved, targets) {
      values.replaceSubrange(
        center * batch.dimensions..<(center + 1) * batch.dimensions, with: batch[target])
    }
    centers.features = Features(values, dimensions: batch.dimensions)
    let staying = counts.indices.filter { !moved.contains($0) }.map { counts[$0] }
    for center in moved { counts[center] = staying.min() ?? 0 }
  }
}

/// Ends when an exponentially weighted mean has not fallen for some batches; the first batch does
/// not count.
private struct StoppingRule {
  let patience: Int
  let weight: Double
  private var isFirst = true
  private var mean: Double?
  private var minimum = Double.infinity
  private var waited = 0

  init(patience: Int, weight: Double) { (self.patience, self.weight) = (patience, min(1, weight)) }

  mutating func isReached(_ distance: Double) -> Bool {
    if isFirst {
      isFirst = false
      return false
    }
    let value = mean.map { $0 * (1 - weight) + distance * weight } ?? distance
    mean = value
    waited = value < minimum ? 0 : waited + 1
    minimum = min(minimum, value)
    return waited >= patience
  }
}
