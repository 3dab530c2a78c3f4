import LatheNN
import LatheData
import Testing

@Suite struct SyntheticTests {
  @Test func imagesHaveTenEqualClasses() throws {
    for (split, count) in [(Split.train, 6000), (Split.test, 1000)] {
      let set = try Dataset.synthetic.load(split)
      #expect(set.count == count && set.shape == ImageShape(height: 28, width: 28, channels: 1))
      #expect(set.labels.reduce(into: [0: 0]) { $0[Int($1), default: 0] += 1 }.count == 10)
      #expect(set.labels.count { $0 == 3 } == count / 10)
    }
  }

  @Test func aFunctionOfTheSeed() throws {
    let entry = Dataset.synthetic
    let digest = try entry.load(.test, seed: 4).digest
    #expect(try entry.load(.test, seed: 4).digest == digest)
    #expect(try entry.load(.test, seed: 5).digest != digest)
  }

  /// Digests of the same formulas written a second time in Python with NumPy 2.4, seed 1.
  @Test(arguments: [
    ("synthetic", "eb1b5edc", "ef4fec14"),
    ("synthetic8", "4323092a", "18876bb2"),
    ("synthetic16", "954d1eff", "2d7b20c2"),
  ])
  func agreesWithASecondProgram(name: String, train: String, test: String) throws {
    let entry = try #require(DatasetRegistry.standard[name])
    #expect(try entry.load(.train, seed: 1).digest == train)
    #expect(try entry.load(.test, seed: 1).digest == test)
  }

  @Test func splitsShareNoImage() throws {
    let entry = Dataset.synthetic
    let (train, test) = (try entry.load(.train), try entry.load(.test))
    let seen = Set((0..<train.count).map { train.bytes(of: $0) })
    #expect(seen.count == train.count)
    #expect((0..<test.count).allSatisfy { !seen.contains(test.bytes(of: $0)) })
  }

  /// The principal axis of the brightness turns with the class: 18° · label within 4.5° jitter and
  /// the pixels' coarseness. Tan 2θ = 2 m₁₁ / (m₂₀ − m₀₂) is checked through its rotation.
  @Test func barsLieAtTheAngleOfTheirClass() throws {
    let set = try Dataset.synthetic.load(.test)
    for index in 0..<200 {
      let (cosine, sine) = doubleAngle(set.bytes(of: index))
      let expected = AngleOfClass(Int(set.labels[index]))
      // cos of the difference of the doubled angles; 15° doubled is 0.87.
      #expect(cosine * expected.cosine + sine * expected.sine > 0.87, "image \(index)")
    }
  }

  /// Cosine and sine of twice the angle of 18° · label, by repeated rotation.
  private struct AngleOfClass {
    var (cosine, sine) = (1.0, 0.0)

    init(_ label: Int) {
      let (c, s) = (0.809_016_994_374_947_5, 0.587_785_252_292_473_1)  // of 36°
      for _ in 0..<label { (cosine, sine) = (cosine * c - sine * s, cosine * s + sine * c) }
    }
  }

  /// Cosine and sine of twice the angle of the principal axis, from the second central moments.
  private func doubleAngle(_ image: [UInt8]) -> (Double, Double) {
    let points = image.enumerated().map { place, value in
      (x: Double(place % 28), y: -Double(place / 28), weight: Double(value))
    }
    let total = points.reduce(0) { $0 + $1.weight }
    let x = points.reduce(0) { $0 + $1.weight * $1.x } / total
    let y = points.reduce(0) { $0 + $1.weight * $1.y } / total
    let across = points.reduce(0) {
      $0 + $1.weight * (($1.x - x) * ($1.x - x) - ($1.y - y) * ($1.y - y))
    }
    let mixed = points.reduce(0) { $0 + $1.weight * 2 * ($1.x - x) * ($1.y - y) }
    let size = (across * across + mixed * mixed).squareRoot()
    return (across / size, mixed / size)
  }

  @Test(arguments: [8, 16]) func vectorsSpanTheUnitInterval(latentSize: Int) throws {
    let entry = try #require(DatasetRegistry.standard["synthetic\(latentSize)"])
    let train = try entry.load(.train, seed: 1)
    #expect(train.count == 50_000 && train.shape == ImageShape(height: 1, width: 128, channels: 1))
    #expect(Set(train.labels) == [0] && train.classNames.isEmpty)
    var low = [UInt8](repeating: 255, count: 128)
    var high = [UInt8](repeating: 0, count: 128)
    for index in 0..<train.count {
      for (column, value) in train.bytes(of: index).enumerated() {
        low[column] = min(low[column], value)
        high[column] = max(high[column], value)
      }
    }
    #expect(low.allSatisfy { $0 == 0 } && high.allSatisfy { $0 == 255 })
  }

  /// The test split follows the training split's distribution and is not part of it.
  @Test func testVectorsAreLikeTrainingVectors() throws {
    let entry = Dataset.synthetic8
    let (train, test) = (try entry.load(.train, seed: 1), try entry.load(.test, seed: 1))
    #expect(test.count == 10_000)
    func means(_ set: ImageSet) -> [Double] {
      (0..<10_000).reduce(into: [Double](repeating: 0, count: 128)) { sums, index in
        for (column, value) in set.bytes(of: index).enumerated() {
          sums[column] += Double(value) / 10_000
        }
      }
    }
    // A column's deviation is at most 255/2, its mean's error 1.3; the difference's, 1.8.
    for (a, b) in zip(means(train), means(test)) { #expect(abs(a - b) < 5) }
    #expect(train.bytes(of: 0) != test.bytes(of: 0))
    // Standard normal coordinates: the error of a mean of 80,000 is 0.0035, of their squares 0.005.
    let factors = try #require(test.factors)
    #expect(factors.count == 8 * test.count && factors != train.factors)
    #expect(abs(factors.reduce(0, +) / Float(factors.count)) < 0.02)
    #expect(abs(factors.reduce(0) { $0 + $1 * $1 } / Float(factors.count) - 1) < 0.03)
    #expect(test.part([3], as: .test).factors == Array(factors[24..<32]))
  }
}
