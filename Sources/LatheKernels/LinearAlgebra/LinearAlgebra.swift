import LatheFiles
internal import COpenBLAS

// Dense linear algebra in doubles, row-major, on the calling thread: for statistics that are
// computed now and then.

/// C = op(A) op(B), or C += op(A) op(B), in doubles.
///
/// Shapes: op(A) `[m, k]`, op(B) `[k, n]`, C `[m, n]`; what is transposed lies in memory as `[k,
/// m]` or `[n, k]`.
public func gemm(
  _ a: UnsafePointer<Double>, transposed aTransposed: Bool, _ b: UnsafePointer<Double>,
  transposed bTransposed: Bool, _ c: UnsafeMutablePointer<Double>, m: Int, n: Int, k: Int,
  accumulate: Bool
) {
  singleThreaded
  cblas_dgemm(
    CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
    blasint(m), blasint(n), blasint(k), 1, a, blasint(max(1, aTransposed ? m : k)), b,
    blasint(max(1, bTransposed ? k : n)), accumulate ? 1 : 0, c, blasint(max(1, n)))
}

/// The lower triangular L with L Lᵀ = A, zeros above the diagonal; nil when A is not positive
/// definite.
///
/// Shapes: `[size, size]` → the same.
public func choleskyFactor(_ matrix: [Double], size: Int) -> [Double]? {
  require(
    matrix.count == size * size, "choleskyFactor: \(matrix.count) values, size \(size)")
  singleThreaded
  var factor = matrix
  var (n, status) = (blasint(size), blasint(0))
  // LAPACK counts by columns: what it calls the upper triangle is the lower one by rows.
  dpotrf_("U", &n, &factor, &n, &status, 1)
  guard status == 0, factor.allSatisfy(\.isFinite) else { return nil }
  for row in 0..<size {
    for column in row + 1..<max(row + 1, size) { factor[row * size + column] = 0 }
  }
  return factor
}

/// The inverse of a lower triangular matrix without zeros on its diagonal.
///
/// Shapes: `[size, size]` → the same.
public func inverseOfLowerTriangle(_ matrix: [Double], size: Int) -> [Double] {
  require(
    matrix.count == size * size, "inverseOfLowerTriangle: \(matrix.count) values, size \(size)")
  singleThreaded
  var inverse = matrix
  var (n, status) = (blasint(size), blasint(0))
  dtrtri_("U", "N", &n, &inverse, &n, &status, 1, 1)
  require(status == 0, "inverseOfLowerTriangle: zero on the diagonal at \(status)")
  return inverse
}

/// The library is held to one thread: ours call it side by side.
private let singleThreaded: Void = openblas_set_num_threads(1)
