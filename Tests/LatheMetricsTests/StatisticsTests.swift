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

  /// A mean ten thousand times the standard deviation would ruin sums about zero in floats.
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
