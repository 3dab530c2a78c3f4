import LatheMetrics
import Testing

struct NeighborhoodScoresTests {
  @Test func scoresMatchPRDC() throws {
    let golden = try golden("neighborhoods")
    let scores = try NeighborhoodScores(
      generated: golden.features("generated"), real: golden.features("real"), neighbors: 5,
      manifoldNeighbors: 5)
    expectClose(
      [scores.precision, scores.recall, scores.density, scores.coverage],
      try golden.values("scores"), relative: 1e-12)
  }

  /// Precision and recall have a k of their own, the smaller one.
  @Test func precisionAndRecallAreThoseOfThreeNeighbors() throws {
    let golden = try golden("neighborhoods")
    let (generated, real) = (try golden.features("generated"), try golden.features("real"))
    let scores = try NeighborhoodScores(generated: generated, real: real)
    let three = try NeighborhoodScores(
      generated: generated, real: real, neighbors: 3, manifoldNeighbors: 3)
    let five = try NeighborhoodScores(
      generated: generated, real: real, neighbors: 5, manifoldNeighbors: 5)
    #expect([scores.precision, scores.recall] == [three.precision, three.recall])
    #expect([scores.density, scores.coverage] == [five.density, five.coverage])
    #expect([three.precision, three.recall] != [five.precision, five.recall])
  }

  /// Each ball of a set holds its own centre and k − 1 others, as the k-th lies on its surface.
  @Test func aSetAgainstItself() throws {
    let set = try golden("neighborhoods").features("real")
    let scores = try NeighborhoodScores(generated: set, real: set, neighbors: 5)
    #expect(scores.precision == 1 && scores.recall == 1 && scores.coverage == 1)
    expectClose(scores.density, 1, relative: 1e-12)
  }

  @Test func farSetsShareNothing() throws {
    let set = try golden("neighborhoods").features("real")
    let far = Features(set.values.map { $0 + 100 }, dimensions: set.dimensions)
    let scores = try NeighborhoodScores(generated: far, real: set)
    #expect(
      [scores.precision, scores.recall, scores.density, scores.coverage] == [0, 0, 0, 0])
  }

  @Test func tooFewSamplesAreRefused() {
    let five = Features([1, 2, 3, 4, 5], dimensions: 1)
    #expect(throws: ScoreError.tooFew("samples for balls", needed: 6, found: 5)) {
      try NeighborhoodScores(generated: five, real: five, neighbors: 5)
    }
  }
}

struct NearestNeighborsTests {
  @Test(arguments: [1, 7, 300]) func neighborsMatchNumPy(blocks: Int) throws {
    let golden = try golden("neighbors")
    let images = try golden.features("images")
    var neighbors = NearestNeighbors(of: try golden.features("queries"), count: 4)
    for block in 0..<blocks {
      let rows = block * 300 / blocks..<(block + 1) * 300 / blocks
      try neighbors.search(images[rows: rows], from: rows.lowerBound)
    }
    let found = neighbors.found.flatMap { $0 }
    #expect(found.map { Double($0.number) } == (try golden.values("numbers")))
    expectClose(found.map(\.distance), try golden.values("distances"), relative: 1e-12)
  }

  /// What two looked at apart is what one finds that looks at all.
  @Test func neighborsOfPartsAreMerged() throws {
    let golden = try golden("neighbors")
    let (images, queries) = (try golden.features("images"), try golden.features("queries"))
    var (whole, first, second) = (
      NearestNeighbors(of: queries), NearestNeighbors(of: queries), NearestNeighbors(of: queries)
    )
    try whole.search(images, from: 0)
    try first.search(images[rows: 0..<120], from: 0)
    try second.search(images[rows: 120..<300], from: 120)
    #expect(first.found != whole.found)
    first.merge(second.found)
    #expect(first.found == whole.found)
  }

  /// Differences far below what float products of large numbers show.
  @Test func closeImagesAreToldApart() throws {
    let images = Features((0..<64).map { 1000 + Float(63 - $0) * 0.0625 }, dimensions: 1)
    var neighbors = NearestNeighbors(of: Features([1000.03], dimensions: 1), count: 3)
    try neighbors.search(images, from: 100)
    #expect(neighbors.found[0].map(\.number) == [163, 162, 161])
  }

  @Test func fewImagesGiveFewNeighbors() throws {
    var neighbors = NearestNeighbors(of: Features([0], dimensions: 1), count: 4)
    try neighbors.search(Features([3, 1], dimensions: 1), from: 0)
    #expect(
      neighbors.found == [[Neighbor(number: 1, distance: 1), Neighbor(number: 0, distance: 3)]])
    #expect(throws: ScoreError.sizes("feature dimensions", expected: 1, found: 2)) {
      try neighbors.search(Features([1, 2], dimensions: 2), from: 0)
    }
  }
}
