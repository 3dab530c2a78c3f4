import LatheKernels
import Testing

extension Binary {
  func reference(_ a: Float, _ b: Float) -> Float {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
    case .minimum: a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
    case .equal: a == b ? 1 : 0
    case .greater: a > b ? 1 : 0
    }
  }
}

/// Numbers with ties, and a few NaN.
private func operands(_ count: Int, seed: UInt64) -> [Float] {
  Numbers.array(count, seed: seed).map { $0 > 0.99 ? .nan : ($0 * 16).rounded() / 16 }
}

private func same(_ a: [Float], _ b: [Float]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
}

extension AllKernels {
  @Suite struct ElementwiseTests {
    @Test func sameFindsADifference() {
      #expect(same([1, .nan], [1, .nan]))
      #expect(!same([1, .nan], [1, 2]))
    }

    @Test(arguments: Binary.allCases, [(1, 1), (1, 0), (0, 1), (0, 0)])
    func combineAgreesWithReference(_ op: Binary, _ steps: (Int, Int)) {
      for count in [0, 1, 5, 64, 70_001] {
        let a = operands(count + 1, seed: 1)
        let b = operands(count + 1, seed: 2)
        let expected = (0..<count).map { op.reference(a[$0 * steps.0], b[$0 * steps.1]) }
        let found = written(count) {
          combine(op, a, step: steps.0, b, step: steps.1, $0, count: count)
        }
        #expect(same(found, expected))
      }
    }

    static let layouts: [(rows: Int, columns: Int, a: (Int, Int), b: (Int, Int))] = [
      (700, 3, (3, 1), (0, 1)), (700, 3, (3, 1), (1, 0)), (700, 64, (64, 1), (0, 1)),
      (5000, 1, (1, 0), (0, 0)), (5000, 1, (1, 1), (0, 1)), (3, 5000, (5000, 1), (0, 1)),
      (3, 5000, (5000, 1), (1, 0)), (3, 5000, (0, 1), (1, 0)), (40, 1024, (1024, 1), (0, 0)),
      (40, 1025, (1025, 1), (0, 1)), (37, 41, (1, 37), (41, 1)), (37, 41, (82, 2), (0, 1)),
      (2100, 17, (0, 1), (17, 1)), (1, 9, (0, 1), (0, 0)), (2, 3000, (1, 2), (3000, 1)),
      (0, 7, (7, 1), (0, 1)),
    ]

    @Test(arguments: layouts.indices) func broadcastsAgreeWithReference(_ index: Int) {
      let (rows, columns, aStrides, bStrides) = Self.layouts[index]
      let a = operands(rows * aStrides.0 + columns * aStrides.1 + 1, seed: 1)
      let b = operands(rows * bStrides.0 + columns * bStrides.1 + 1, seed: 2)
      for op in [Binary.subtract, .greater] {
        let expected = (0..<rows * columns).map { i in
          let (r, c) = (i / columns, i % columns)
          return op.reference(
            a[r * aStrides.0 + c * aStrides.1], b[r * bStrides.0 + c * bStrides.1])
        }
        let found = written(rows * columns) {
          combine(
            op, a, rowStride: aStrides.0, columnStride: aStrides.1, b, rowStride: bStrides.0,
            columnStride: bStrides.1, $0, rows: rows, columns: columns)
        }
        #expect(same(found, expected))
      }
    }

    @Test func broadcastInPlace() {
      let x = Numbers.array(300)
      let found = written(300) { y in
        for i in x.indices { y[i] = x[i] }
        combine(
          .add, y, rowStride: 3, columnStride: 1, [1, 2, 3], rowStride: 0, columnStride: 1, y,
          rows: 100, columns: 3)
      }
      #expect(found == x.indices.map { x[$0] + Float($0 % 3 + 1) })
    }

    @Test func gatesPassTheGradient() {
      let x: [Float] = [-2, -1, -0.5, 0, 0.5, 1, 2]
      let g: [Float] = [1, 2, 3, 4, 5, 6, 7]
      #expect(
        written(7) { leakyRelu(x, slope: 0.25, $0, count: 7) } == [
          -0.5, -0.25, -0.125, 0, 0.5, 1, 2,
        ])
      #expect(
        written(7) { leakyGate(g, x, slope: 0.5, $0, count: 7) } == [0.5, 1, 1.5, 2, 5, 6, 7])
      #expect(
        written(7) { clamp(x, from: -1, to: 0.5, $0, count: 7) } == [
          -1, -1, -0.5, 0, 0.5, 0.5, 0.5,
        ])
      #expect(
        written(7) { clampGate(g, x, from: -1, to: 1, $0, count: 7) } == [0, 2, 3, 4, 5, 6, 0])
    }

    @Test func clampKeepsNaN() {
      #expect(written(1) { clamp([.nan], from: 0, to: 1, $0, count: 1) }[0].isNaN)
    }

    @Test func affineFillAndAccumulate() {
      let x: [Float] = [1, 2, 3, 4, 5]
      #expect(written(5) { affine(x, scale: 2, offset: -1, $0, count: 5) } == [1, 3, 5, 7, 9])
      #expect(written(5) { fill($0, with: 7, count: 5) } == [7, 7, 7, 7, 7])
      let sums = written(5) { y in
        fill(y, with: 1, count: 5)
        accumulate(x, into: y, count: 5)
        accumulate(x, scale: 10, into: y, count: 5)
      }
      #expect(sums == [12, 23, 34, 45, 56])
    }
  }
}
