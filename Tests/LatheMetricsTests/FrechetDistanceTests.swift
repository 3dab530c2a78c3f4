import LatheMetrics
import Testing

struct FrechetDistanceTests {
  @Test func matchesGeneralMatrixRoot() throws {
    let golden = try golden("frechet")
    let (a, b) = try (
      FeatureStatistics(of: golden.features("a")), FeatureStatistics(of: golden.features("b"))
    )
    let expected = try golden.number("distance")
    expectClose(try frechetDistance(a, b), expected, relative: 1e-9)
    expectClose(try frechetDistance(b, a), expected, relative: 1e-9)
  }

  /// 100 samples in 768 dimensions: SciPy's root to 1e-3, the closed form by singular values
  /// closer.
  @Test func singularCovariances() throws {
    let golden = try golden("frechet-singular")
    let distance = try frechetDistance(
      FeatureStatistics(of: patterned(100, 768, 0)), FeatureStatistics(of: patterned(100, 768, 1)))
    expectClose(distance, try golden.number("by_root"), relative: 1e-3)
    expectClose(distance, try golden.number("exact"), relative: 1e-5)
  }

  /// For diagonal covariances the distance is Σ (m₁ − m₂)² + (σ₁ − σ₂)².
  @Test func diagonalCovariances() throws {
    let one = try FeatureStatistics(count: nil, mean: [0, 1], covariance: [4, 0, 0, 9])
    let other = try FeatureStatistics(count: nil, mean: [3, 1], covariance: [1, 0, 0, 25])
    expectClose(try frechetDistance(one, other), 9 + 1 + 4, relative: 1e-14)
  }

  @Test func finiteWhateverTheCovariance() throws {
    let indefinite = try FeatureStatistics(count: nil, mean: [0, 0], covariance: [1, 2, 2, 1])
    let zero = try FeatureStatistics(count: nil, mean: [0, 0], covariance: [0, 0, 0, 0])
    let large = try FeatureStatistics(
      count: nil, mean: [1e18, 0], covariance: [1e36, 0, 0, 1e-36])
    for one in [indefinite, zero, large] {
      for other in [indefinite, zero, large] {
        let distance = try frechetDistance(one, other)
        #expect(distance.isFinite && distance >= 0)
      }
    }
    #expect(try frechetDistance(zero, zero) == 0)
  }

  @Test func dimensionsMustAgree() throws {
    let one = try FeatureStatistics(count: nil, mean: [0], covariance: [1])
    let other = try FeatureStatistics(count: nil, mean: [0, 0], covariance: [1, 0, 0, 1])
    #expect(throws: ScoreError.sizes("feature dimensions", expected: 1, found: 2)) {
      try frechetDistance(one, other)
    }
  }
}
