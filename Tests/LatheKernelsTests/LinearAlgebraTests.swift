import LatheKernels
import Testing

@Suite struct LinearAlgebraTests {
  /// A Aᵀ + I of a matrix of small numbers.
  private func positive(_ size: Int) -> [Double] {
    let a = (0..<size * size).map { Double($0 * 7 % 11) / 11 - 0.5 }
    var product = [Double](repeating: 0, count: size * size)
    for i in 0..<size { product[i * size + i] = 1 }
    gemm(
      a, transposed: false, a, transposed: true, &product, m: size, n: size, k: size,
      accumulate: true)
    return product
  }

  @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
  func products(_ aTransposed: Bool, _ bTransposed: Bool) {
    let (m, n, k) = (2, 3, 4)
    let a = (0..<m * k).map { Double($0) + 1 }
    let b = (0..<k * n).map { Double($0 * $0) - 3 }
    var c = [Double](repeating: 0.5, count: m * n)
    gemm(
      a, transposed: aTransposed, b, transposed: bTransposed, &c, m: m, n: n, k: k,
      accumulate: true)
    for i in 0..<m {
      for j in 0..<n {
        let sum = (0..<k).reduce(0.5) {
          $0 + a[aTransposed ? $1 * m + i : i * k + $1] * b[bTransposed ? j * k + $1 : $1 * n + j]
        }
        #expect(c[i * n + j] == sum)
      }
    }
  }

  @Test func factorAndInverse() throws {
    let (size, matrix) = (5, positive(5))
    let factor = try #require(choleskyFactor(matrix, size: size))
    let inverse = inverseOfLowerTriangle(factor, size: size)
    for i in 0..<size {
      for j in 0..<size {
        if j > i { #expect(factor[i * size + j] == 0 && inverse[i * size + j] == 0) }
        let product = (0..<size).reduce(0) { $0 + factor[i * size + $1] * factor[j * size + $1] }
        #expect(abs(product - matrix[i * size + j]) < 1e-14)
        let one = (0..<size).reduce(0) { $0 + factor[i * size + $1] * inverse[$1 * size + j] }
        #expect(abs(one - (i == j ? 1 : 0)) < 1e-14)
      }
    }
  }

  @Test func noFactorOfWhatIsNotPositiveDefinite() {
    #expect(choleskyFactor([1, 2, 2, 1], size: 2) == nil)
    #expect(choleskyFactor([.nan, 0, 0, 1], size: 2) == nil)
  }
}
