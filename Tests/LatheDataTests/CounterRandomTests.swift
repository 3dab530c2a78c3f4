import LatheData
import Testing

@Suite struct CounterRandomTests {
  /// The first outputs of the published SplitMix64 with seed 0.
  @Test func matchesSplitMix64() {
    let random = CounterRandom(seed: 0)
    #expect(random.bits(0) == 0xe220_a839_7b1d_cdaf)
    #expect(random.bits(1) == 0x6e78_9e6a_a1b9_65f4)
    #expect(random.bits(2) == 0x06c4_5d18_8009_454f)
  }

  @Test func streamsDiffer() {
    let random = CounterRandom(seed: 5)
    let firsts = (0..<1000).map { random.stream($0).bits(0) } + (0..<1000).map { random.bits($0) }
    #expect(Set(firsts).count == 2000)
  }

  /// Mean, variance and fourth moment within five standard errors of 0, 1 and 3.
  @Test func normalMoments() {
    let random = CounterRandom(seed: 9)
    let count = 100_000
    let values = (0..<count).map { random.normal($0) }
    func mean(_ power: Int) -> Double {
      values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { y, _ in y * x } } / Double(count)
    }
    let error = 1 / Double(count).squareRoot()
    #expect(abs(mean(1)) < 5 * error)
    #expect(abs(mean(2) - 1) < 5 * error * 2.0.squareRoot())
    #expect(abs(mean(4) - 3) < 5 * error * 96.0.squareRoot())
  }

  @Test func integersAreUniform() {
    let random = CounterRandom(seed: 2)
    var counts = [Int](repeating: 0, count: 101)
    for draw in 0..<50_000 { counts[random.integer(draw, below: 101)] += 1 }
    // 100 degrees of freedom: mean 100, standard deviation 14.1.
    #expect((40..<180).contains(chiSquare(counts)))
  }

  @Test func chiSquareSeesAnUnevenDie() {
    #expect(chiSquare([10, 10, 10]) == 0)
    #expect(chiSquare([1300, 1000, 1000]) > 50)
  }
}
