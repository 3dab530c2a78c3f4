import LatheKernels
import Testing

/// Axis k of the result is axis `permutation[k]` of x.
private func referencePermute(_ x: [Float], _ sizes: [Int], _ permutation: [Int]) -> [Float] {
  var strides = [Int](repeating: 1, count: sizes.count)
  for k in sizes.indices.dropLast().reversed() { strides[k] = strides[k + 1] * sizes[k + 1] }
  return x.indices.map { i in
    var (rest, offset) = (i, 0)
    for k in permutation.reversed() {
      offset += rest % sizes[k] * strides[k]
      rest /= sizes[k]
    }
    return x[offset]
  }
}

extension AllKernels {
  @Suite struct MovementTests {
    static let permutations: [([Int], [Int])] = [
      ([], []), ([5], [0]), ([3, 4], [0, 1]), ([3, 4], [1, 0]), ([64, 64], [1, 0]),
      ([70, 131], [1, 0]), ([1, 9], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 4], [0, 2, 1]),
      ([9, 17, 10], [1, 0, 2]), ([9, 17, 10], [2, 1, 0]), ([4, 4, 8, 16], [3, 2, 0, 1]),
      ([2, 9, 8, 3], [0, 3, 1, 2]), ([2, 3, 9, 8], [0, 2, 3, 1]),
      ([3, 1, 5, 2, 4], [4, 2, 0, 1, 3]),
      ([400, 300], [1, 0]), ([0, 3], [1, 0]),
    ]

    @Test(arguments: permutations) func permuteAgreesWithReference(_ sizes: [Int], _ order: [Int]) {
      let x = Numbers.array(sizes.reduce(1, *))
      let found = written(x.count) { permute(x, sizes: sizes, permutation: order, $0) }
      #expect(found == referencePermute(x, sizes, order))
    }

    @Test(arguments: [(1, 1), (5, 3), (3, 64), (2000, 40)])
    func rowsMoveBetweenStrides(_ rows: Int, _ length: Int) {
      let x = Numbers.array(rows * (length + 2))
      let count = rows * (length + 5)
      let copied = written(count) { y in
        fill(y, with: 0, count: count)
        copyRows(x, stride: length + 2, y, stride: length + 5, rows: rows, length: length)
      }
      let expected = (0..<count).map { i -> Float in
        let (r, c) = (i / (length + 5), i % (length + 5))
        return c < length ? x[r * (length + 2) + c] : 0
      }
      #expect(copied == expected)
    }

    @Test func gatherAndScatterAreAdjoint() {
      let x: [Float] = [1, 2, 3, 4, 5, 6]
      let indices: [Int32] = [2, 0, 2, 2]
      let rows = written(8) { gatherRows(x, indices: indices, length: 2, $0) }
      #expect(rows == [5, 6, 1, 2, 5, 6, 5, 6])
      let sums = written(6) { y in
        fill(y, with: 1, count: 6)
        scatterAddRows(rows, indices: indices, length: 2, y)
      }
      #expect(sums == [2, 3, 1, 1, 16, 19])
    }
  }
}
