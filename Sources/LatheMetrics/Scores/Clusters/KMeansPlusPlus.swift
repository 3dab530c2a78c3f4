import Glibc

/// Points of `sample` as initial centers.
///
/// Arthur, Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007: each center is
/// drawn with probability proportional to its squared distance from those before; of 2 + ⌊ln k⌋
/// draws the best is taken, as in the authors' own program.
func kMeansPlusPlus(_ count: Int, in sample: Features, _ draws: inout Draws) -> Centers {
  var chosen = [draws.integer(below: sample.count)]
  var distances = Centers(features: sample[rows: chosen]).squaredDistances(from: sample)
  let trials = 2 + Int(log(Double(count)))
  while chosen.count < count {
    let candidates = (0..<trials).map { _ in pick(distances, &draws) }
    let toCandidates = Centers(features: sample[rows: candidates]).squaredDistances(from: sample)
    let outcomes = (0..<trials).map { trial in
      distances.indices.map { min(distances[$0], toCandidates[$0 * trials + trial]) }
    }
    let sums = outcomes.map { $0.reduce(0.0) { $0 + Double($1) } }
    let best = sums.indices.min { sums[$0] < sums[$1] }!
    chosen.append(candidates[best])
    distances = outcomes[best]
  }
  return Centers(features: sample[rows: chosen])
}

/// An index with probability proportional to its weight; the last one where all weights are 0.
private func pick(_ weights: [Float], _ draws: inout Draws) -> Int {
  let target = draws.uniform() * weights.reduce(0.0) { $0 + Double($1) }
  var sum = 0.0
  for (index, weight) in weights.enumerated() {
    sum += Double(weight)
    if sum > target { return index }
  }
  return weights.count - 1
}
