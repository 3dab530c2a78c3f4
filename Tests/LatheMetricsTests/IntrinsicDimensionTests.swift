import LatheMetrics
import LatheTensors
import Testing

/// The estimates of vectors no two of which are equal.
private func dimension(of vectors: Features) throws -> IntrinsicDimension {
  var search = NearestNeighbors(of: vectors, count: IntrinsicDimension.neighbors + 1)
  try search.search(vectors, from: 0)
  return try IntrinsicDimension(neighbors: search.found.map { Array($0.dropFirst()) })
}

struct IntrinsicDimensionTests {
  @Test func estimatesMatchScikitDimension() throws {
    let golden = try golden("dimension")
    let found = try dimension(of: golden.features("points"))
    expectClose(found.twoNN, try golden.number("two_nn"), relative: 1e-9)
    expectClose(found.maximumLikelihood, try golden.number("maximum_likelihood"), relative: 1e-9)
  }

  /// A linear image of a cube has the cube's dimension, however many coordinates it has.
  @Test(arguments: [1, 2, 5]) func aCubeHasItsDimension(dimensions: Int) throws {
    let random = RandomSource(seed: UInt64(dimensions))
    let cube = random.uniform("cube", [1500, dimensions])
    let image = matmul(cube, random.normal("map", [dimensions, 12]))
    let found = try dimension(of: Features(image.values, dimensions: 12))
    expectClose(found.twoNN, Double(dimensions), relative: 0.1)
    // Near its surface a cube is smaller than the estimate assumes.
    expectClose(found.maximumLikelihood, Double(dimensions), relative: 0.15)
  }

  /// Codes that are repeated would be at a distance of 0.
  @Test func equalVectorsCountOnce() throws {
    let points = try golden("dimension").features("points")
    #expect((points + points[rows: 7..<90]).distinct == points)
    #expect(Features([0, -0.0, 1, 1], dimensions: 1).distinct.values == [0, 1])
  }

  @Test func whatCannotBeEstimatedIsRefused() throws {
    let points = try golden("dimension").features("points")
    #expect(
      throws: ScoreError.tooFew("distinct samples for 20 neighbours", needed: 21, found: 20)
    ) { try dimension(of: points[rows: 0..<20]) }
    let broken = points[rows: 0..<30] + Features([.nan, 0, 0, 0, 0, 0, 0], dimensions: 7)
    #expect(throws: ScoreError.notFinite("ratios of distances")) { try dimension(of: broken) }
    // Of unit vectors all neighbours are as far away as the first one.
    let unit = (0..<900).map { $0 / 30 == $0 % 30 ? Float(1) : 0 }
    let grid = Features(unit, dimensions: 30)
    #expect(throws: ScoreError.notFinite("dimension")) { try dimension(of: grid) }
  }
}

struct SlicedWassersteinTests {
  /// Laws that differ by a shift δ are ‖δ‖ / √d apart: of the mean over directions no more is
  /// random than that of 500 of them.
  @Test func aShiftIsItsLengthByTheRootOfTheDimension() throws {
    let codes = RandomSource(seed: 3).normal("codes", [300, 4])
    let shift = Tensor([3, 0, -4, 12], shape: [1, 4])
    let (one, other) = (
      Features(codes.values, dimensions: 4), Features((codes + shift).values, dimensions: 4)
    )
    let distance = try SlicedWasserstein(directions: 4000)(one, other)
    expectClose(distance, 13 / 2, relative: 0.03)
    #expect(try SlicedWasserstein()(one, one) == 0)
    // In one dimension there is no direction to draw, up to its sign.
    let (a, b) = (Features([5, 1, 3], dimensions: 1), Features([2, 7, 4], dimensions: 1))
    expectClose(try SlicedWasserstein(directions: 3)(a, b), (6.0 / 3).squareRoot(), relative: 1e-6)
  }

  /// Two draws of N(0, I) and of N(0, 4 I) are √E[(σ − σ′)²] = 1 apart, as all projections are
  /// normal.
  @Test func aScaleIsTheDifferenceOfStandardDeviations() throws {
    let random = RandomSource(seed: 4)
    let (one, other) = (random.normal("one", [4000, 3]), 2 * random.normal("other", [4000, 3]))
    let distance = try SlicedWasserstein()(
      Features(one.values, dimensions: 3), Features(other.values, dimensions: 3))
    expectClose(distance, 1, relative: 0.05)
  }

  @Test func otherSizesAreRefused() {
    let (three, two) = (Features([1, 2, 3], dimensions: 1), Features([1, 2], dimensions: 1))
    #expect(throws: ScoreError.sizes("vectors", expected: 3, found: 2)) {
      try SlicedWasserstein()(three, two)
    }
    #expect(throws: ScoreError.notFinite("vectors")) {
      try SlicedWasserstein()(two, Features([1, .infinity], dimensions: 1))
    }
  }
}
