import LatheFiles
internal import COpenBLAS
import LatheKernels
import LatheTensors

/// A matrix of doubles in row-major order, with the operations of BLAS and LAPACK that scores need.
///
/// The library takes as many threads as `Workers.count` for each call.
struct DoubleMatrix: Sendable {
  let rows, columns: Int
  var values: [Double]

  init(_ values: [Double], rows: Int, columns: Int) {
    require(
      values.count == rows * columns, "DoubleMatrix: \(values.count) values, not \(rows)×\(columns)"
    )
    (self.values, self.rows, self.columns) = (values, rows, columns)
  }

  init(_ features: Features, rows: Range<Int>) {
    let part = features.values[
      rows.lowerBound * features.dimensions..<rows.upperBound * features.dimensions]
    self.init(part.map(Double.init), rows: rows.count, columns: features.dimensions)
  }

  /// Some of the rows.
  func rows(_ range: Range<Int>) -> DoubleMatrix {
    DoubleMatrix(
      Array(values[range.lowerBound * columns..<range.upperBound * columns]), rows: range.count,
      columns: columns)
  }

  /// self · other, or self · otherᵀ.
  func times(_ other: DoubleMatrix, transposed: Bool = false) -> DoubleMatrix {
    let inner = transposed ? other.columns : other.rows
    let width = transposed ? other.rows : other.columns
    require(columns == inner, "DoubleMatrix: \(rows)×\(columns) times \(inner)×\(width)")
    var product = DoubleMatrix(
      [Double](repeating: 0, count: rows * width), rows: rows, columns: width)
    if product.values.isEmpty || columns == 0 { return product }
    withThreads {
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(rows),
        blasint(width), blasint(columns), 1, values, blasint(columns), other.values,
        blasint(other.columns), 0, &product.values, blasint(width))
    }
    return product
  }

  /// Adds `factor`ᵀ · `factor` to the lower triangle; what lies above it stays as it is.
  mutating func addGram(of factor: DoubleMatrix) {
    require(
      rows == columns && factor.columns == columns,
      "DoubleMatrix: Gram matrix of \(factor.columns) columns for \(rows)×\(columns)")
    if factor.rows == 0 { return }
    withThreads {
      cblas_dsyrk(
        CblasRowMajor, CblasLower, CblasTrans, blasint(columns), blasint(factor.rows), 1,
        factor.values, blasint(columns), 1, &values, blasint(columns))
    }
  }

  /// Eigenvalues of a symmetric matrix of finite numbers in ascending order, its lower triangle
  /// read; and, if asked for, its unit eigenvectors as rows.
  func eigen(vectors: Bool) -> (values: [Double], vectors: DoubleMatrix) {
    var matrix = self
    var eigenvalues = [Double](repeating: 0, count: rows)
    let status = withThreads { solve(vectors ? "V" : "N", &matrix.values, &eigenvalues) }
    require(status == 0, "dsyevd: status \(status) for \(rows)×\(columns)")
    return (eigenvalues, matrix)
  }

  /// LAPACK counts columns first, so its upper triangle is our lower one, and its columns are our
  /// rows.
  private func solve(
    _ job: String, _ matrix: inout [Double], _ eigenvalues: inout [Double]
  ) -> blasint {
    var (n, status) = (blasint(rows), blasint(0))
    var stride = max(1, n)
    var (workCount, integerCount) = (blasint(-1), blasint(-1))
    var (work, integers) = ([0.0], [blasint(0)])
    for _ in 0..<2 {  // the first call asks how much work space the second one needs
      dsyevd_(
        job, "U", &n, &matrix, &stride, &eigenvalues, &work, &workCount, &integers,
        &integerCount, &status, 1, 1)
      if status != 0 || workCount > 0 { break }
      (workCount, integerCount) = (blasint(work[0]), integers[0])
      work = [Double](repeating: 0, count: Int(workCount))
      integers = [blasint](repeating: 0, count: Int(integerCount))
    }
    return status
  }

  private func withThreads<Result>(_ body: () -> Result) -> Result {
    openblas_set_num_threads(CInt(Workers.count))
    defer { openblas_set_num_threads(1) }
    return body()
  }
}
