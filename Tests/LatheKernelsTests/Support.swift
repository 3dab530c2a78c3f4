import LatheKernels
import Synchronization
import Testing

/// All suites of kernels run one after another: they share the workers, whose number some of them
/// set.
@Suite(.serialized) enum AllKernels {}

/// Repeatable numbers in −1 ..< 1, independent of the kernels under test.
struct Numbers {
  var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
  }

  static func array(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var numbers = Numbers(seed)
    return (0..<count).map { _ in numbers.next() }
  }
}

/// The largest difference, relative to `scale` or to the largest expected value; NaN and infinity
/// where they do not match count as infinite.
func worstError(_ found: [Float], _ expected: [Double], scale: Double? = nil) -> Double {
  guard found.count == expected.count else { return .infinity }
  let scale = scale ?? max(expected.lazy.map(abs).filter(\.isFinite).max() ?? 0, 1e-30)
  return zip(found, expected).reduce(0) { worst, pair in
    let (found, expected) = (Double(pair.0), pair.1)
    if found == expected || found.isNaN && expected.isNaN { return worst }
    let error = abs(found - expected) / scale
    return error.isNaN ? .infinity : max(worst, error)
  }
}

/// The distance from `expected` in units in the last place of the float nearest to it.
func unitsInLastPlace(_ found: Float, _ expected: Double) -> Double {
  let nearest = Float(expected)
  if found == nearest || found.isNaN && nearest.isNaN { return 0 }
  guard found.isFinite && nearest.isFinite else { return .infinity }
  return abs(Double(found) - expected) / Double(nearest.ulp)
}

/// An array of `count` floats, NaN before `write` fills it.
func written(_ count: Int, _ write: (MutableFloats) -> Void) -> [Float] {
  var values = [Float](repeating: .nan, count: count)
  values.withUnsafeMutableBufferPointer { write($0.baseAddress!) }
  return values
}

func doubles(_ values: [Float]) -> [Double] { values.map(Double.init) }

/// Runs `body` with each number of threads, and leaves one behind.
func withWorkers(_ counts: [Int], _ body: (Int) -> Void) {
  defer { Workers.setCount(1) }
  for count in counts {
    Workers.setCount(count)
    body(count)
  }
}

/// Runs `body` in pieces that wait for each other, until each of `count` threads has run one; false
/// when that fails.
///
/// Pieces of a job run on one thread while another test's job has the workers, so they wait a
/// moment only, and the job is repeated.
func runsOnEachWorker(of count: Int, _ body: () -> Void) -> Bool {
  let all = (1 << count) - 1
  for _ in 0..<100 {
    let seen = Atomic(0)
    Workers.forEach(count) { _, worker in
      seen.bitwiseOr(1 << worker, ordering: .relaxed)
      let end = ContinuousClock.now + .milliseconds(100)
      while seen.load(ordering: .relaxed) != all && ContinuousClock.now < end {}
      body()
    }
    if seen.load(ordering: .relaxed) == all { return true }
  }
  return false
}

/// Notes that a piece has begun, and waits until `count` have, ten seconds at most.
func waitForAll(_ count: Int, _ begun: borrowing Atomic<Int>) {
  begun.add(1, ordering: .relaxed)
  let end = ContinuousClock.now + .seconds(10)
  while begun.load(ordering: .relaxed) < count && ContinuousClock.now < end {}
}

/// Runs `body` with the own tiles and without.
func withAndWithoutTiles(_ body: (_ usesTiles: Bool) -> Void) {
  body(true)
  body(false)
}

/// The nearest bfloat16 number, ties to even; for finite numbers.
func roundedToBFloat16(_ x: Float) -> Float {
  let bits = x.bitPattern
  let below = Float(bitPattern: bits & 0xffff_0000)
  let above = Float(bitPattern: (bits & 0xffff_0000) &+ 0x1_0000)
  let (down, up) = (abs(Double(x) - Double(below)), abs(Double(above) - Double(x)))
  if down == up { return bits & 0x1_0000 == 0 ? below : above }
  return down < up ? below : above
}

extension [Float] {
  /// The numbers as products of this precision see them.
  func rounded(to precision: Precision) -> [Float] {
    precision == .float32 ? self : map(roundedToBFloat16)
  }
}

extension AllKernels {
  @Suite struct SupportTests {
    @Test func worstErrorFindsOneWrongNumber() {
      #expect(worstError([1, 2, 3], [1, 2, 3]) == 0)
      #expect(worstError([1, 2, 3], [1, 2, 3.3]) > 0.09)
      #expect(worstError([1, .nan, 3], [1, 2, 3]) == .infinity)
      #expect(worstError([1, 2], [1, 2, 3]) == .infinity)
      #expect(worstError([1, 2], [1, 4], scale: 1) == 2)
    }

    @Test func unitsInLastPlaceCountNeighbours() {
      #expect(unitsInLastPlace(Float(1).nextUp, 1) == 1)
      #expect(unitsInLastPlace(.infinity, 1) == .infinity)
      #expect(unitsInLastPlace(0, Double(Float.leastNonzeroMagnitude)) == 1)
    }

    @Test func unwrittenNumbersAreNotEqualToAnything() {
      #expect(worstError(written(2) { $0[0] = 1 }, [1, 1]) == .infinity)
    }
  }
}
