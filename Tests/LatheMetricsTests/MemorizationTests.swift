import LatheMetrics
import LatheTensors
import Testing

/// The nearest one of `vectors` to each query.
private func nearest(_ queries: Features, _ vectors: Features) throws -> [[Neighbor]] {
  var search = NearestNeighbors(of: queries, count: 1)
  try search.search(vectors, from: 0)
  return search.found
}

private func memorization(
  _ samples: Features, training: Features, unseen: Features
) throws -> Memorization {
  try Memorization(
    training: nearest(samples, training), unseen: nearest(samples, unseen),
    ofUnseen: nearest(unseen, training), count: training.count)
}

private func draw(_ name: String, _ count: Int, _ seed: UInt64 = 5) -> Features {
  Features(RandomSource(seed: seed).normal(name, [count, 6]).values, dimensions: 6)
}

struct MemorizationTests {
  @Test func copiesAreFound() throws {
    let (training, unseen) = (draw("training", 200), draw("unseen", 200))
    let copies = try memorization(training, training: training, unseen: unseen)
    #expect(copies.nearerToTraining == 1 && copies.binomialError == 0)
    #expect(copies.dataCopying < -10)
    // What lies on unseen images is no copy.
    let others = try memorization(unseen, training: training, unseen: unseen)
    #expect(others.nearerToTraining == 0 && others.dataCopying == 0)
  }

  /// Over 20 trials of samples that are draws of the same law, the share is 0.5 and varies as its
  /// standard error says, which is more than the binomial one: some images have many votes.
  @Test func drawsOfTheSameLawAreNoCopies() throws {
    let trials = try (0..<20).map { seed in
      try memorization(
        draw("samples", 400, seed), training: draw("training", 100, seed),
        unseen: draw("unseen", 100, seed))
    }
    let scores = trials.map { ($0.nearerToTraining - 0.5) / $0.standardError }
    let squares = scores.reduce(0) { $0 + $1 * $1 } / 20
    #expect(abs(scores.reduce(0, +) / 20) < 0.7, "\(scores)")
    #expect(squares > 0.4 && squares < 2, "\(squares)")
    #expect(trials.allSatisfy { $0.standardError > $0.binomialError })
  }

  /// Ties count half.
  @Test func theStatisticIsThatOfSciPy() throws {
    let golden = try golden("memorization")
    func neighbors(_ name: String) throws -> [[Neighbor]] {
      try golden.values(name).map { [Neighbor(number: 0, distance: $0)] }
    }
    let (generated, unseen) = (try neighbors("generated"), try neighbors("unseen"))
    let found = try Memorization(
      training: generated, unseen: generated, ofUnseen: unseen, count: unseen.count)
    expectClose(found.dataCopying, try golden.number("score"), relative: 1e-12)
    #expect(found.nearerToTraining == 0.5)
  }

  @Test func featuresThatAreNotFiniteAreRefused() throws {
    let (training, unseen) = (draw("training", 3), draw("unseen", 3))
    let broken = Features([Float](repeating: .nan, count: 6), dimensions: 6)
    #expect(throws: ScoreError.notFinite("distances of features")) {
      try memorization(broken, training: training, unseen: unseen)
    }
  }
}
