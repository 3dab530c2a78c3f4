import LatheMetrics
import Testing

@Suite struct RankCorrelationTests {
  /// scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]).statistic, SciPy 1.16.
  @Test func agreesWithSciPyWhereThereAreTies() throws {
    let tau = try #require(RankCorrelation([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]))
    #expect(abs(tau.value + 0.47140452079103173) < 1e-14)
  }

  @Test func ordersThatAgreeAndThatDoNot() throws {
    let numbers = [3.0, 1, 4, 1.5, 9, 2.6]
    #expect(try #require(RankCorrelation(numbers, numbers)).value == 1)
    #expect(try #require(RankCorrelation(numbers, numbers.map { -$0 })).value == -1)
    #expect(RankCorrelation(numbers, [2, 2, 2, 2, 2, 2]) == nil)
    #expect(RankCorrelation([1], [2]) == nil)
  }

  /// tanh(artanh τ ± 1.96 √(0.437 / (n − 4))) for τ = 7/15 of six pairs, by hand.
  @Test func theIntervalIsThatOfFieller() throws {
    let tau = try #require(RankCorrelation([1, 2, 3, 4, 5, 6], [3, 1, 2, 6, 4, 5]))
    let interval = try #require(tau.interval)
    #expect(abs(tau.value - 7.0 / 15) < 1e-14)
    #expect(abs(interval.lowerBound + 0.38878) < 1e-4 && abs(interval.upperBound - 0.89001) < 1e-4)
    #expect(RankCorrelation([1, 2, 3, 4], [1, 2, 3, 4])?.interval == nil)
  }
}
