import LatheKernels
import Testing

/// op(A) op(B) + C in double precision.
private func referenceProduct(
  _ a: [Float], _ aTransposed: Bool, _ b: [Float], _ bTransposed: Bool, adding c: [Float], m: Int,
  n: Int, k: Int
) -> [Double] {
  var sums = doubles(c)
  for i in 0..<m {
    for j in 0..<n {
      for l in 0..<k {
        let left = a[aTransposed ? l * m + i : i * k + l]
        let right = b[bTransposed ? j * k + l : l * n + j]
        sums[i * n + j] += Double(left) * Double(right)
      }
    }
  }
  return sums
}

extension AllKernels {
  @Suite struct GEMMTests {
    static let sizes = [
      (1, 1, 1), (3, 5, 7), (64, 1, 33), (1, 64, 17), (17, 33, 65), (64, 100, 128), (130, 70, 9),
      (5, 4, 0), (600, 90, 40), (20, 70, 2100), (9, 300, 31), (6, 16, 256), (7, 17, 257),
      (13, 31, 515), (50, 145, 300), (101, 273, 64),
    ]

    @Test(arguments: sizes, [(false, false), (false, true), (true, false), (true, true)])
    func agreesWithReference(_ size: (Int, Int, Int), _ transposed: (Bool, Bool)) {
      let (m, n, k) = size
      let a = Numbers.array(m * k, seed: 1)
      let b = Numbers.array(k * n, seed: 2)
      let before = Numbers.array(m * n, seed: 3)
      for (accumulate, precision) in [
        (false, Precision.float32), (true, .float32), (false, .bfloat16), (true, .bfloat16),
      ] {
        let c = accumulate ? before : [Float](repeating: 0, count: m * n)
        let expected = referenceProduct(
          a.rounded(to: precision), transposed.0, b.rounded(to: precision), transposed.1, adding: c,
          m: m, n: n, k: k)
        withAndWithoutTiles { usesTiles in
          let found = written(m * n) { y in
            for i in 0..<m * n { y[i] = accumulate ? before[i] : .nan }
            gemm(
              a, transposed: transposed.0, b, transposed: transposed.1, y, m: m, n: n, k: k,
              accumulate: accumulate, precision: precision, usesTiles: usesTiles)
          }
          #expect(worstError(found, expected) < 2e-6)
        }
      }
    }

    /// A reference on numbers that were not rounded is far off, so the comparison above sees
    /// rounding.
    @Test func bfloat16DiffersFromFloat32() {
      let (a, b) = (Numbers.array(30 * 40, seed: 1), Numbers.array(40 * 50, seed: 2))
      let expected = referenceProduct(
        a, false, b, false, adding: [Float](repeating: 0, count: 30 * 50), m: 30, n: 50, k: 40)
      withAndWithoutTiles { usesTiles in
        let found = written(30 * 50) {
          gemm(
            a, transposed: false, b, transposed: false, $0, m: 30, n: 50, k: 40, accumulate: false,
            precision: .bfloat16, usesTiles: usesTiles)
        }
        #expect(1e-4..<1e-2 ~= worstError(found, expected))
      }
    }

    /// Times one, numbers come back rounded: up, down, ties to even, on both sides of zero.
    @Test func roundsToNearestEven() {
      let ulp = Float(0x1p-7)
      let cases: [(Float, Float)] = [
        (1, 1), (1 + ulp / 2, 1), (1 + 1.5 * ulp, 1 + 2 * ulp), (-1 - 1.5 * ulp, -1 - 2 * ulp),
        (1 + 0.51 * ulp, 1 + ulp), (1 + 0.49 * ulp, 1), (255.5, 256), (.infinity, .infinity),
        (3.4e38, .infinity), (0x1p-126, 0x1p-126), (-0.1, -0x1.9ap-4),
      ]
      let (numbers, one) = (cases.map(\.0), [Float(1)])
      withAndWithoutTiles { usesTiles in
        let found = written(cases.count) {
          gemm(
            numbers, transposed: false, one, transposed: false, $0, m: cases.count, n: 1, k: 1,
            accumulate: false, precision: .bfloat16, usesTiles: usesTiles)
        }
        #expect(found == cases.map(\.1))
      }
    }

    /// NaN anywhere in a row is NaN in the result.
    @Test(arguments: Precision.allCases) func keepsNaN(_ precision: Precision) {
      var a = Numbers.array(3 * 5)
      a[7] = Float(bitPattern: 0x7f80_0001)
      let b = Numbers.array(5 * 2)
      withAndWithoutTiles { usesTiles in
        let found = written(3 * 2) {
          gemm(
            a, transposed: false, b, transposed: false, $0, m: 3, n: 2, k: 5, accumulate: false,
            precision: precision, usesTiles: usesTiles)
        }
        #expect(found.map(\.isNaN) == [false, false, true, true, false, false])
      }
    }

    /// The first rows of a product have the same bits however many follow, and in whatever order
    /// its operands lie: tiles add in an order of the contraction's own.
    @Test(.enabled(if: Processor.usesTiles), arguments: [false, true], Precision.allCases)
    func rowsDoNotDependOnTheirNumber(_ accumulate: Bool, _ precision: Precision) {
      let (n, k, maximum) = (300, 2500, 1100)
      let (a, b) = (Numbers.array(maximum * k, seed: 1), Numbers.array(k * n, seed: 2))
      let before = Numbers.array(maximum * n, seed: 3)
      let turned = written(k * n) { permute(b, sizes: [k, n], permutation: [1, 0], $0) }
      let bits = { (m: Int, bTransposed: Bool) in
        written(m * n) { c in
          for i in 0..<m * n { c[i] = before[i] }
          gemm(
            a, transposed: false, bTransposed ? turned : b, transposed: bTransposed, c, m: m, n: n,
            k: k, accumulate: accumulate, precision: precision)
        }.map(\.bitPattern)
      }
      let all = bits(maximum, false)
      #expect(bits(maximum, true) == all)
      for m in [1, 2, 7, 16, 64, 255, 256, 513, 1023, 1024] {
        #expect(bits(m, false) == Array(all[..<(m * n)]))
        #expect(bits(m, true) == Array(all[..<(m * n)]))
      }
    }

    /// Each number is one chain of fused multiplications and additions along the contraction, in
    /// every place of a tile.
    @Test(
      .enabled(if: Processor.usesTiles),
      arguments: [(1, 1), (6, 16), (7, 17), (8, 32), (95, 147)], [(false, false), (true, true)])
    func numbersAreChains(_ size: (Int, Int), _ transposed: (Bool, Bool)) {
      let ((m, n), k) = (size, 199)
      let (a, b) = (Numbers.array(m * k, seed: 1), Numbers.array(k * n, seed: 2))
      let found = written(m * n) {
        gemm(
          a, transposed: transposed.0, b, transposed: transposed.1, $0, m: m, n: n, k: k,
          accumulate: false)
      }
      for i in 0..<m {
        for j in 0..<n {
          let chain = (0..<k).reduce(Float(0)) { sum, l in
            let left = a[transposed.0 ? l * m + i : i * k + l]
            return sum.addingProduct(left, b[transposed.1 ? j * k + l : l * n + j])
          }
          #expect(found[i * n + j] == chain)
        }
      }
    }

    /// An image's pixels have the same bits in a batch of any size.
    @Test(.enabled(if: Processor.usesTiles), arguments: [(4, 2), (5, 1)], Precision.allCases)
    func pixelsDoNotDependOnTheBatch(_ kernel: (size: Int, stride: Int), _ precision: Precision) {
      let g = { (batch: Int) in
        ConvolutionGeometry(
          batch: batch, input: 14, channels: (40, 70), kernel: kernel.size, stride: kernel.stride,
          padding: 1)
      }
      let (x, w) = (
        Numbers.array(g(30).inputCount, seed: 1), Numbers.array(g(1).weightCount, seed: 2)
      )
      let bits = { (batch: Int) in
        let forward = written(g(batch).outputCount) {
          conv2d(x, w, $0, g(batch), precision: precision)
        }
        let backward = written(g(batch).inputCount) {
          convTranspose2d(x, w, $0, g(batch), precision: precision)
        }
        return (forward.map(\.bitPattern), backward.map(\.bitPattern))
      }
      let all = bits(30)
      for batch in [1, 3, 12] {
        let (forward, backward) = bits(batch)
        #expect(forward == Array(all.0[..<forward.count]))
        #expect(backward == Array(all.1[..<backward.count]))
      }
    }

    /// Large enough to be cut along rows and along columns: ones times ones is k everywhere.
    @Test(arguments: [(1024, 512, 1024), (64, 8192, 512), (8191, 130, 128)])
    func coversEveryPiece(_ m: Int, _ n: Int, _ k: Int) {
      let a = [Float](repeating: 1, count: m * k)
      let b = [Float](repeating: 1, count: k * n)
      let found = written(m * n) {
        gemm(
          a, transposed: false, b, transposed: true, $0, m: m, n: n, k: k, accumulate: false)
      }
      #expect(found.allSatisfy { $0 == Float(k) })
    }
  }
}
