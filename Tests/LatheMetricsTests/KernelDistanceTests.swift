import LatheMetrics
import Testing

struct KernelDistanceTests {
  @Test func discrepancyMatchesPolynomialKernel() throws {
    let golden = try golden("kernel")
    let (a, b) = try (golden.features("a"), golden.features("b"))
    expectClose(
      try KernelDistance.mmd(a, b), try golden.number("discrepancy"), relative: 1e-6)
    expectClose(
      try KernelDistance.mmd(a[rows: 0..<60], a[rows: 60..<120]),
      try golden.number("same"), relative: 1e-4)
  }

  /// Subsets as large as the sets are the sets in another order, so each has their discrepancy.
  @Test func subsetsOfAllAreAll() throws {
    let golden = try golden("kernel")
    let (a, b) = try (golden.features("a")[rows: 0..<90], golden.features("b"))
    let score = try KernelDistance(subsets: 3)(a, b)
    #expect(score.subsetSize == 90)
    expectClose(score.mean, try KernelDistance.mmd(a, b), relative: 1e-6)
    #expect(score.standardDeviation < 1e-6)
  }

  @Test func subsetsSpreadAroundAll() throws {
    let golden = try golden("kernel")
    let (a, b) = try (golden.features("a"), golden.features("b"))
    let score = try KernelDistance(subsets: 200, subsetSize: 30)(a, b)
    let error = score.standardDeviation / Double(200).squareRoot()
    #expect(error > 0)
    #expect(abs(score.mean - (try golden.number("discrepancy"))) < 4 * error)
    #expect(try KernelDistance(subsets: 200, subsetSize: 30)(a, b) == score)
    #expect(try KernelDistance(subsets: 200, subsetSize: 30, seed: 1)(a, b) != score)
  }

  @Test func whatCannotBeSaysWhy() {
    let two = Features([1, 2], dimensions: 1)
    #expect(throws: ScoreError.sizes("feature dimensions", expected: 1, found: 2)) {
      try KernelDistance()(two, Features([1, 2], dimensions: 2))
    }
    #expect(throws: ScoreError.tooFew("samples for a kernel distance", needed: 2, found: 1)) {
      try KernelDistance()(two, Features([1], dimensions: 1))
    }
    #expect(throws: ScoreError.notFinite("features")) {
      try KernelDistance()(two, Features([1, .infinity], dimensions: 1))
    }
  }
}
