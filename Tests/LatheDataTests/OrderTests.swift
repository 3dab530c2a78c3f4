import LatheData
import LatheNN
import Testing

@Suite struct OrderTests {
  private func epoch(_ number: Int, of order: Order) -> [Int] {
    let start = number * order.positionsPerEpoch
    return (start..<start + order.positionsPerEpoch).map { order.index(at: $0) }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 10, 16, 17, 100, 255, 256, 257, 1023, 5000])
  func eachEpochIsAPermutation(count: Int) {
    let order = Order(count: count, batch: 1, seed: 3)
    for number in 0..<3 { #expect(epoch(number, of: order).sorted() == Array(0..<count)) }
  }

  @Test func fullSizeEpochIsAPermutation() {
    let order = Order(count: 60_000, batch: 100, seed: 1)
    #expect(order.batchesPerEpoch == 600)
    #expect(epoch(7, of: order).sorted() == Array(0..<60_000))
  }

  @Test func dropsTheLastPartialBatch() {
    let order = Order(count: 103, batch: 10, seed: 4)
    #expect(order.positionsPerEpoch == 100)
    #expect(order.epoch(of: 99) == 0 && order.epoch(of: 100) == 1)
    let dropped = (0..<50).map { Set(0..<103).subtracting(epoch($0, of: order)) }
    #expect(dropped.allSatisfy { $0.count == 3 })
    #expect(Set(dropped.flatMap { $0 }).count > 50, "the dropped images should change")
  }

  @Test func epochsAndSeedsDiffer() {
    let order = Order(count: 1000, batch: 10, seed: 5)
    let other = Order(count: 1000, batch: 10, seed: 6)
    let (first, second) = (epoch(0, of: order), epoch(1, of: order))
    func agreements(_ a: [Int], _ b: [Int]) -> Int { zip(a, b).count { $0 == $1 } }
    // Two random permutations agree in one place on average.
    #expect(agreements(first, second) < 10)
    #expect(agreements(first, epoch(0, of: other)) < 10)
    #expect(agreements(first, Array(0..<1000)) < 10)
    #expect(agreements(first, first) == 1000)
  }

  /// How often image i stands at place p of an epoch, over 10,000 epochs of 10 images.
  ///
  /// For uniform permutations the statistic has 9 · 9 degrees of freedom: mean 81, deviation 12.7.
  @Test(arguments: [10, 13]) func everyImageIsEquallyOftenAtEveryPlace(count: Int) {
    let order = Order(count: count, batch: 1, seed: 11)
    var counts = [Int](repeating: 0, count: count * count)
    for position in 0..<10_000 * count {
      counts[position % count * count + order.index(at: position)] += 1
    }
    let freedom = Double((count - 1) * (count - 1))
    #expect(abs(chiSquare(counts) - freedom) < 5 * (2 * freedom).squareRoot())
  }

  /// The six orders of three images, 5 degrees of freedom: above 25.7 once in 10,000 times.
  @Test func everyOrderIsEquallyFrequent() {
    let order = Order(count: 3, batch: 3, seed: 12)
    let counts = (0..<30_000).reduce(into: [Int: Int]()) { counts, number in
      let e = epoch(number, of: order)
      counts[e[0] * 3 + e[1], default: 0] += 1
    }
    #expect(counts.count == 6)
    #expect(chiSquare(Array(counts.values)) < 25.7)
  }

  /// How often image i follows image j: no pair is favoured (12 · 11 pairs in turn).
  @Test func neighboursAreUniform() {
    let count = 12
    let order = Order(count: count, batch: 1, seed: 13)
    var counts = [Int](repeating: 0, count: count * count)
    for number in 0..<20_000 {
      let e = epoch(number, of: order)
      for (a, b) in zip(e, e.dropFirst()) { counts[a * count + b] += 1 }
    }
    let pairs = (0..<count * count).filter { $0 / count != $0 % count }.map { counts[$0] }
    #expect(chiSquare(pairs) < 131 + 6 * 262.0.squareRoot())
  }

  @Test func doesNotDependOnTheOrderOfCalls() {
    let order = Order(count: 777, batch: 7, seed: 8)
    let forwards = (0..<2000).map { order.index(at: $0) }
    let again = Order(count: 777, batch: 7, seed: 8)
    let backwards = (0..<2000).reversed().map { again.index(at: $0) }
    #expect(forwards == backwards.reversed())
  }

  @Test func replacementDrawsUniformlyAndRepeats() {
    let order = Order(count: 50, batch: 64, seed: 21, replacement: true)
    #expect(order.batchesPerEpoch == 1 && order.positionsPerEpoch == 64)
    var counts = [Int](repeating: 0, count: 50)
    for position in 0..<50_000 { counts[order.index(at: position)] += 1 }
    #expect(abs(chiSquare(counts) - 49) < 5 * 98.0.squareRoot())
    // 50 draws of 50 leave out about 18.
    #expect((25..<40).contains(Set((0..<50).map { order.index(at: $0) }).count))
  }

  @Test func aBatchLargerThanTheSetTraps() async {
    await #expect(processExitsWith: .failure) { _ = Order(count: 9, batch: 10, seed: 0) }
  }
}

/// The first images of a fixed permutation.
@Suite struct FixedChoiceTests {
  private func chosen(_ count: Int) -> [UInt8] {
    let set = ImageSet(
      images: (0..<200).map { UInt8($0) }, shape: ImageShape(height: 1, width: 1, channels: 1))
    let part = set.fixedChoice(count)
    return (0..<part.count).map { part.bytes(of: $0)[0] }
  }

  @Test func smallerChoicesAreParts() {
    let (few, many) = (chosen(20), chosen(90))
    #expect(few.count == 20 && Set(few).count == 20 && few == few.sorted())
    #expect(Set(few).isSubset(of: many))
    #expect(chosen(200) == (0..<200).map { UInt8($0) })
    // Not simply the first ones.
    #expect(few.contains { $0 >= 100 })
  }
}
