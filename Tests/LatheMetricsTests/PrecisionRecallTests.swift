import LatheMetrics
import Testing

struct PrecisionRecallTests {
  @Test func curveMatchesTheFormulaForTheSameClusters() throws {
    let golden = try golden("precision-recall")
    let labels = try golden.values("labels").map { Int($0) }
    let curve = PrecisionRecall().curve(labels: labels, evaluated: 600)
    expectClose(curve.precision, try golden.values("precision"), relative: 1e-9)
    expectClose(curve.recall, try golden.values("recall"), relative: 1e-9)
    expectClose(
      [curve.precisionScore, curve.recallScore], try golden.values("scores"), relative: 1e-9)
  }

  /// Ten clusterings here: their mean lies between the least and the largest of ten by
  /// scikit-learn.
  @Test func miniBatchesAreWithinTheSpreadOfTheReference() throws {
    let golden = try golden("precision-recall")
    let (evaluated, reference) = try (
      golden.features("evaluated"), golden.features("reference")
    )
    let curves = try (0..<10).map { seed in
      try PrecisionRecall(runs: 1, seed: UInt64(seed))(evaluated: evaluated, reference: reference)
    }
    let runs = try golden.values("runs")
    for (column, score) in [\PrecisionRecallCurve.precisionScore, \.recallScore].enumerated() {
      let mean = curves.reduce(0) { $0 + $1[keyPath: score] } / 10
      let spread = (0..<10).map { runs[2 * $0 + column] }
      #expect(mean >= spread.min()! && mean <= spread.max()!, "\(mean) in \(spread)")
    }
  }

  @Test func aSetAgainstItselfIsPerfect() throws {
    let features = try golden("precision-recall").features("reference")
    let curve = try PrecisionRecall(runs: 2)(evaluated: features, reference: features)
    #expect(abs(curve.precisionScore - 1) < 1e-9 && abs(curve.recallScore - 1) < 1e-9)
  }

  /// Half of eight well separated classes: what is there is right, half of what should be is
  /// missing.
  @Test func droppedClassesLowerRecallOnly() throws {
    let reference = try golden("precision-recall").features("reference")
    let kept = (0..<reference.count).filter { row in
      reference[row].prefix(8).enumerated().max { $0.element < $1.element }!.offset < 4
    }
    let half = reference[rows: (0..<reference.count).map { kept[$0 % kept.count] }]
    let curve = try PrecisionRecall()(evaluated: half, reference: reference)
    #expect(curve.precisionScore > 0.9)
    #expect(curve.recallScore < 0.65)
    let swapped = try PrecisionRecall()(evaluated: reference, reference: half)
    #expect(swapped.precisionScore < 0.65 && swapped.recallScore > 0.9)
  }

  @Test func disjointDistributionsShareNothing() {
    let curve = PrecisionRecallCurve(evaluated: [1, 0], reference: [0, 1])
    #expect(curve.precisionScore == 0 && curve.recallScore == 0)
  }

  @Test func equalPointsAreClustered() throws {
    let features = Features([Float](repeating: 2, count: 60), dimensions: 2)
    let curve = try PrecisionRecall(runs: 1)(evaluated: features, reference: features)
    #expect(abs(curve.precisionScore - 1) < 1e-9)
  }

  @Test func whatCannotBeSaysWhy() {
    let two = Features([1, 2], dimensions: 1)
    #expect(throws: ScoreError.sizes("evaluated samples", expected: 2, found: 1)) {
      try PrecisionRecall()(evaluated: Features([1], dimensions: 1), reference: two)
    }
    #expect(throws: ScoreError.tooFew("samples in clusters", needed: 20, found: 4)) {
      try PrecisionRecall()(evaluated: two, reference: two)
    }
  }
}
