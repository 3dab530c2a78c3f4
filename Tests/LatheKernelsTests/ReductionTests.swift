import LatheKernels
import Testing

extension AllKernels {
  @Suite struct ReductionTests {
    /// Against a plain loop, from every place on, whole vectors and rests.
    @Test(arguments: [0, 1, 63, 64, 65, 200]) func firstPlaceThatReaches(_ count: Int) {
      let (x, y) = (
        (0..<count).map { Float($0 * 37 % 101) }, (0..<count).map { Float($0 * 11 % 29) }
      )
      for least: Float in [-30, 60, 95, 200] {
        for start in 0...count {
          let expected = (start..<count).first { x[$0] - y[$0] >= least } ?? count
          #expect(
            firstPlace(from: start, where: x, minus: y, reaches: least, count: count) == expected)
        }
      }
    }

    static let shapes = [
      (1, 1, 1), (5, 7, 1), (3, 1000, 1), (1, 200_001, 1), (2, 70_000, 1), (1, 1000, 3),
      (1, 90_000, 3),
      (1, 4097, 64), (1, 300, 1500), (1, 64, 8192), (4, 9, 65), (3, 50, 2000), (2, 1, 17),
      (0, 3, 4),
      (700, 3, 5), (1, 2, 100_000),
    ]

    @Test(arguments: shapes) func agreesWithReference(_ shape: (Int, Int, Int)) {
      let (outer, reduced, inner) = shape
      let x = Numbers.array(outer * reduced * inner)
      var sums = [Double](repeating: 0, count: outer * inner)
      var largest = [Double](repeating: -.infinity, count: outer * inner)
      for i in x.indices {
        let at = i / (reduced * inner) * inner + i % inner
        sums[at] += Double(x[i])
        largest[at] = max(largest[at], Double(x[i]))
      }
      let found = written(outer * inner) {
        reduce(.sum, x, outer: outer, reduced: reduced, inner: inner, $0)
      }
      let tops = written(outer * inner) {
        reduce(.maximum, x, outer: outer, reduced: reduced, inner: inner, $0)
      }
      #expect(worstError(found, sums) < 1e-5)
      #expect(worstError(tops, largest) == 0)
    }

    @Test(arguments: [(1, 3, 1), (1, 100_000, 1), (2, 100, 3)])
    func nothingIsLostToNaN(_ shape: (Int, Int, Int)) {
      var x = Numbers.array(shape.0 * shape.1 * shape.2)
      x[x.count / 2] = .nan
      for op in Reduction.allCases {
        let found = written(shape.0 * shape.2) {
          reduce(op, x, outer: shape.0, reduced: shape.1, inner: shape.2, $0)
        }
        #expect(found.filter(\.isNaN).count == 1)
      }
    }

    @Test func nothingReducedIsNeutral() {
      #expect(written(2) { reduce(.sum, [], outer: 1, reduced: 0, inner: 2, $0) } == [0, 0])
      #expect(
        written(1) { reduce(.maximum, [], outer: 1, reduced: 0, inner: 1, $0) } == [-.infinity])
    }

    @Test(arguments: [0, 1, 63, 64, 65, 1000, 200_003]) func dotAgreesWithReference(_ count: Int) {
      let a = Numbers.array(count, seed: 1)
      let b = Numbers.array(count, seed: 2)
      let expected = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(Double(dot(a, b, count: count)) - expected) < 1e-6 * max(1, Double(count)))
    }

    @Test(arguments: [Float.infinity, -.infinity, .nan]) func isFiniteFindsOne(_ wrong: Float) {
      var x = Numbers.array(100_000)
      x[0] = .greatestFiniteMagnitude
      let before = LatheKernels.isFinite(x, count: x.count)
      x[99_999] = wrong
      let (whole, withoutLast) = (
        LatheKernels.isFinite(x, count: x.count), LatheKernels.isFinite(x, count: 99_999)
      )
      #expect(before)
      #expect(!whole)
      #expect(withoutLast)
    }
  }
}

/// Sums of squares that do not depend on how the numbers are shared out.
@Suite struct ExactSquaresTests {
  private func sum(_ x: [Float], parts: [Int]) -> (Double, Double) {
    let largest = x.withUnsafeBufferPointer {
      largestMagnitude($0.baseAddress!, count: x.count)
    }
    var total = ExactSquares(largest: largest, count: x.count)
    var start = 0
    for count in parts {
      var part = ExactSquares(largest: largest, count: x.count)
      x.withUnsafeBufferPointer { part.add($0.baseAddress! + start, count: count) }
      total.add(part.sums.coarse, part.sums.fine)
      start += count
    }
    return (total.sums.coarse, total.sums.fine)
  }

  @Test(arguments: [1.0, 1e-15, 1e15] as [Float]) func theSameForAnyParts(scale: Float) {
    let random = CounterValues(seed: 4)
    let x = (0..<10_007).map { index in
      scale * random[index] * (index % 97 == 0 ? 1e3 : index % 7 == 0 ? 1e-4 : 1)
    }
    let expected = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    let whole = sum(x, parts: [10_007])
    #expect(abs(whole.0 + whole.1 - expected) <= 1e-13 * expected)
    for parts in [[1, 10_006], [5_003, 5_004], [3, 4_001, 17, 5_986]] {
      #expect(sum(x, parts: parts) == whole, "\(parts)")
    }
    #expect(sum(x.reversed(), parts: [10_007]) == whole)
  }

  @Test func edges() {
    #expect(sum([0, 0, 0], parts: [3]) == (0, 0))
    #expect(sum([3, -4], parts: [2]).0 == 25)
    let (coarse, fine) = sum([1, .nan, 2], parts: [3])
    #expect((coarse + fine).isNaN)
    let (a, b) = sum([1, .infinity, 2], parts: [3])
    #expect(!(a + b).isFinite)
  }
}

/// Numbers in [−1, 1) by their place.
private struct CounterValues {
  let seed: UInt64

  subscript(_ index: Int) -> Float {
    Float(Double(splitMix64Finalizer(seed &+ UInt64(index)) >> 11) * 0x1p-52 - 1)
  }
}
