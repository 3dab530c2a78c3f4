import Kernels
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
  @Suite struct MatrixProductTests {
    static let sizes = [
      (1, 1, 1), (3, 5, 7), (64, 1, 33), (1, 64, 17), (17, 33, 65), (64, 100, 128), (130, 70, 9),
      (5, 4, 0), (600, 90, 40),
    ]

    @Test(arguments: sizes, [(false, false), (false, true), (true, false), (true, true)])
    func agreesWithReference(_ size: (Int, Int, Int), _ transposed: (Bool, Bool)) {
      let (m, n, k) = size
      let a = Numbers.array(m * k, seed: 1)
      let b = Numbers.array(k * n, seed: 2)
      let before = Numbers.array(m * n, seed: 3)
      for accumulate in [false, true] {
        let c = accumulate ? before : [Float](repeating: 0, count: m * n)
        let expected = referenceProduct(
          a, transposed.0, b, transposed.1, adding: c, m: m, n: n, k: k)
        let found = written(m * n) { y in
          for i in 0..<m * n { y[i] = accumulate ? before[i] : .nan }
          matrixProduct(
            a, transposed: transposed.0, b, transposed: transposed.1, y, m: m, n: n, k: k,
            accumulate: accumulate)
        }
        #expect(worstError(found, expected) < 1e-6)
      }
    }

    /// Large enough to be cut along rows and along columns: ones times ones is k everywhere.
    @Test(arguments: [(1024, 512, 1024), (64, 8192, 512), (8191, 130, 128)])
    func coversEveryPiece(_ m: Int, _ n: Int, _ k: Int) {
      let a = [Float](repeating: 1, count: m * k)
      let b = [Float](repeating: 1, count: k * n)
      let found = written(m * n) {
        matrixProduct(
          a, transposed: false, b, transposed: true, $0, m: m, n: n, k: k, accumulate: false)
      }
      #expect(found.allSatisfy { $0 == Float(k) })
    }
  }
}
