import LatheMetrics
import Testing

struct LatentStatisticsTests {
  @Test func correlationMatchesNumPy() throws {
    let golden = try golden("latent")
    let latent = LatentStatistics(try FeatureStatistics(of: golden.features("codes")))
    expectClose(latent.correlation, try golden.values("correlation"), relative: 1e-12)
    expectClose(
      latent.meanAbsoluteCorrelation, try golden.number("correlation_mean"), relative: 1e-12)
    expectClose(
      latent.meanAbsoluteCovariance, try golden.number("covariance_mean"), relative: 1e-12)
  }

  @Test func maskedCoordinatesAreLeftOut() throws {
    let codes = try FeatureStatistics(
      count: 10, mean: [0, 0, 0], covariance: [1, 9, 0.5, 9, 9, 9, 0.5, 9, 4])
    let active = LatentStatistics.activeCoordinates(of: [1, 0.09, 0.1])
    #expect(active == [0, 2])
    let latent = LatentStatistics(codes, active: active)
    #expect(latent.covariance == [1, 0.5, 0.5, 4])
    #expect(latent.meanAbsoluteCorrelation == 0.25)
    #expect(latent.meanAbsoluteCovariance == 0.5)
  }

  @Test func constantAndSingleCoordinatesAreFinite() throws {
    let codes = try FeatureStatistics(count: 10, mean: [0, 0], covariance: [1, 0, 0, 0])
    #expect(LatentStatistics(codes).correlation == [1, 0, 0, 1])
    #expect(LatentStatistics(codes, active: [0]).meanAbsoluteCorrelation == 0)
  }
}

struct TSNETests {
  @Test func affinitiesMatchScikitLearn() throws {
    let golden = try golden("embedding")
    let affinities = Affinities(try golden.features("points"), perplexity: 30)
    let values = (0..<120).flatMap { row in (0..<120).map { Double(affinities[row, $0]) } }
    expectClose(values, try golden.values("affinities"), relative: 1e-6)
    expectClose(values.reduce(0, +), 1, relative: 1e-6)
  }

  @Test func gradientMatchesFiniteDifferences() throws {
    let points = patterned(37, 5, 9)
    let objective = TSNEObjective(Affinities(points, perplexity: 8))
    let places = patterned(37, 2, 4)
    var (x, y) = (
      (0..<37).map { places.values[2 * $0] }, (0..<37).map { places.values[2 * $0 + 1] }
    )
    let gradient = objective.gradient(x, y, exaggeration: 1)
    let h: Float = 0x1p-10
    let slopes = x.indices.map { i in
      x[i] += h
      let above = objective.divergence(x, y)
      x[i] -= 2 * h
      let below = objective.divergence(x, y)
      x[i] += h
      return (above - below) / Double(2 * h)
    }
    expectClose(gradient.x.map { Double($0) }, slopes, relative: 1e-5)
    let upwards = y.indices.map { i in
      y[i] += h
      let above = objective.divergence(x, y)
      y[i] -= 2 * h
      let below = objective.divergence(x, y)
      y[i] += h
      return (above - below) / Double(2 * h)
    }
    expectClose(gradient.y.map { Double($0) }, upwards, relative: 1e-5)
  }

  @Test func divergenceIsThatOfScikitLearn() throws {
    let golden = try golden("embedding")
    let start = try golden.floats("start")
    let map = try TSNE().map(
      golden.features("points"),
      from: TSNE.Map(
        x: (0..<120).map { start[2 * $0] }, y: (0..<120).map { start[2 * $0 + 1] }))
    let expected = try golden.number("divergence")
    #expect(
      map.divergence > 0 && map.divergence < 1.05 * expected, "\(map.divergence), \(expected)")
  }

  /// Four classes far apart: the nearest point of the map is of the same class.
  @Test func classesStayTogether() throws {
    let points = try golden("embedding").features("points")
    let classes = (0..<120).map { row in
      points[row].prefix(4).enumerated().max { $0.element < $1.element }!.offset
    }
    let map = try TSNE()(points)
    let together = (0..<120).count { i in
      func distance(_ j: Int) -> Float {
        (map.x[i] - map.x[j]) * (map.x[i] - map.x[j])
          + (map.y[i] - map.y[j]) * (map.y[i] - map.y[j])
      }
      let nearest = (0..<120).filter { $0 != i }.min { distance($0) < distance($1) }!
      return classes[nearest] == classes[i]
    }
    #expect(together >= 114, "\(together) of 120")
    #expect(try TSNE()(points).x == map.x)
  }

  @Test func tooFewSamplesAreRefused() {
    #expect(throws: ScoreError.tooFew("samples for perplexity 30.0", needed: 31, found: 4)) {
      try TSNE()(Features([1, 2, 3, 4], dimensions: 1))
    }
  }
}
