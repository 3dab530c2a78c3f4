import LatheMetrics
import Testing

struct StatisticsTests {
  @Test func meanAndCovarianceMatchNumPy() throws {
    let golden = try golden("frechet")
    let statistics = try FeatureStatistics(of: golden.features("a"))
    #expect(statistics.count == 300)
    expectClose(statistics.mean, try golden.values("mu"), relative: 1e-13)
    expectClose(statistics.covariance, try golden.values("sigma"), relative: 1e-13)
  }

  /// A mean ten thousand times the deviation would ruin sums about zero in single precision.
  @Test func aLargeMeanCostsNoDigits() throws {
    let small = patterned(400, 4, 0)
    let shifted = Features(small.values.map { $0 + 4096 }, dimensions: 4)  // exact in float
    expectClose(
      try FeatureStatistics(of: shifted).covariance, try FeatureStatistics(of: small).covariance,
      relative: 1e-12)
  }

  @Test func chunksOfAnySizeAgree() throws {
    let features = patterned(257, 5, 3)
    var moments = FeatureMoments(dimensions: 5)
    for first in stride(from: 0, to: 257, by: 37) {
      moments.add(features[rows: first..<min(first + 37, 257)])
    }
    #expect(moments.count == 257)
    expectClose(
      try moments.statistics().covariance, try FeatureStatistics(of: features).covariance,
      relative: 1e-13)
  }

  @Test func whatCannotBeSaysWhy() throws {
    #expect(throws: ScoreError.tooFew("samples for a covariance", needed: 2, found: 1)) {
      try FeatureStatistics(of: Features([1, 2], dimensions: 2))
    }
    #expect(throws: ScoreError.notFinite("feature statistics")) {
      try FeatureStatistics(of: Features([1, .nan, 3], dimensions: 1))
    }
    #expect(throws: ScoreError.sizes("covariance", expected: 4, found: 3)) {
      try FeatureStatistics(count: nil, mean: [0, 0], covariance: [1, 2, 3])
    }
  }
}

/// 1,003 samples over 1, 2 and 4 ranks: every score the same, each sample counted once.
struct RankCountTests {
  private static let samples = patterned(1003, 12, 1)
  private static let others = patterned(1003, 12, 77)

  /// Batches of 10 dealt to the ranks in turn, the last one short.
  private static func numbers(of rank: Int, _ count: Int) -> [Int] {
    (0..<1003).filter { $0 / 10 % count == rank }
  }

  @Test(arguments: [1, 2, 4]) func statisticsDoNotDependOnRankCount(ranks: Int) throws {
    let expected = try FeatureStatistics(of: Self.samples)
    let totals = try ThreadGroup.run(ranks) { rank, group in
      var moments = FeatureMoments(dimensions: 12)
      moments.add(Self.samples[rows: Self.numbers(of: rank, ranks)])
      return try moments.total(over: group).statistics()
    }
    for total in totals {
      #expect(total.count == 1003)
      expectClose(total.mean, expected.mean, relative: 1e-12)
      expectClose(total.covariance, expected.covariance, relative: 1e-12)
      let other = try FeatureStatistics(of: Self.others)
      expectClose(
        try frechetDistance(total, other), try frechetDistance(expected, other), relative: 1e-9)
    }
  }

  @Test func aRankWithoutSamplesChangesNothing() throws {
    let totals = try ThreadGroup.run(3) { rank, group in
      var moments = FeatureMoments(dimensions: 12)
      if rank == 1 { moments.add(Self.samples) }
      return try moments.total(over: group).statistics()
    }
    let expected = try FeatureStatistics(of: Self.samples)
    for total in totals { expectClose(total.covariance, expected.covariance, relative: 1e-12) }
  }

  /// Samples at a short batch's end are often filled up with the first ones; they count once.
  @Test(arguments: [1, 2, 4]) func gatheredSamplesHaveTheSameBits(ranks: Int) throws {
    let gathered = try ThreadGroup.run(ranks) { rank, group in
      let mine = Self.numbers(of: rank, ranks) + [0, 1, 2]
      return try group.gather(Self.samples[rows: mine], samples: mine)
    }
    for features in gathered { #expect(features == Self.samples) }
  }

  @Test(arguments: [1, 2, 4]) func neighborsDoNotDependOnRankCount(ranks: Int) throws {
    let queries = Self.others[rows: 0..<20]
    var alone = NearestNeighbors(of: queries)
    try alone.search(Self.samples, from: 0)
    let expected = alone.found
    let found = try ThreadGroup.run(ranks) { rank, group in
      var mine = NearestNeighbors(of: queries)
      let shard = rank * 1003 / ranks..<(rank + 1) * 1003 / ranks
      try mine.search(Self.samples[rows: shard], from: shard.lowerBound)
      return try mine.merged(over: group).found
    }
    for neighbors in found { #expect(neighbors == expected) }
  }
}
