internal import COpenBLAS

/// C = op(A) op(B), or C += op(A) op(B), row-major.
///
/// Shapes: op(A) `[m, k]`, op(B) `[k, n]`, C `[m, n]`; what is transposed lies in memory as
/// `[k, m]` or `[n, k]`. C lies apart from both.
public func matrixProduct(
  _ a: Input, transposed aTransposed: Bool, _ b: Input, transposed bTransposed: Bool, _ c: Output,
  m: Int, n: Int, k: Int, accumulate: Bool
) {
  let left = Operand(start: a, transposed: aTransposed, columns: aTransposed ? m : k)
  let right = Operand(start: b, transposed: bTransposed, columns: bTransposed ? k : n)
  let cut = ProductCut(m: m, n: n, k: k)
  Workers.forEach(cut.pieces) { piece, _ in
    let (rows, columns) = cut.piece(piece)
    let first = rows.lowerBound * n + columns.lowerBound
    OpenBLAS.product(
      left.fromRow(rows.lowerBound), right.fromColumn(columns.lowerBound), c + first,
      columnsOfC: n, m: rows.count, n: columns.count, k: k, accumulate: accumulate)
  }
}

/// A matrix in memory: row-major with `columns` columns, read as it lies or transposed.
struct Operand {
  var start: Input
  var transposed: Bool
  var columns: Int

  /// The same matrix without the first rows of op(self).
  func fromRow(_ row: Int) -> Operand {
    Operand(
      start: start + row * (transposed ? 1 : columns), transposed: transposed, columns: columns)
  }

  /// The same matrix without the first columns of op(self).
  func fromColumn(_ column: Int) -> Operand {
    Operand(
      start: start + column * (transposed ? columns : 1), transposed: transposed, columns: columns)
  }
}

/// How a product is shared out: strips of rows, or of columns when these are more.
struct ProductCut {
  let m, n, k: Int

  /// Multiplications that are worth a piece of their own.
  static let work = 1 << 26
  /// Enough for the threads of one rank.
  static let mostPieces = 8
  /// Strips are multiples of this; shorter ones would pack the other operand too often.
  static let grain = 512

  var alongColumns: Bool { n > m }
  var length: Int { alongColumns ? n : m }

  /// Rows or columns in a strip.
  var strip: Int {
    let wanted = max(1, min(Self.mostPieces, m * n * k / Self.work))
    let even = (length + wanted - 1) / wanted
    return max(1, (even + Self.grain - 1) / Self.grain * Self.grain)
  }

  var pieces: Int { m == 0 || n == 0 ? 0 : (length + strip - 1) / strip }

  func piece(_ number: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let range = number * strip..<min(length, (number + 1) * strip)
    return alongColumns ? (0..<m, range) : (range, 0..<n)
  }
}

/// The library, which is held to one thread: ours call it side by side.
enum OpenBLAS {
  private static let ready: Void = openblas_set_num_threads(1)

  static var core: String { String(cString: openblas_get_corename()) }

  static var version: String {
    String(cString: openblas_get_config()).split(separator: " ").prefix(2).joined(separator: " ")
  }

  /// C = op(A) op(B) or C += op(A) op(B) on the calling thread; rows of C are `columnsOfC` apart.
  static func product(
    _ a: Operand, _ b: Operand, _ c: Output, columnsOfC: Int, m: Int, n: Int, k: Int,
    accumulate: Bool
  ) {
    ready
    cblas_sgemm(
      CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
      b.transposed ? CblasTrans : CblasNoTrans, size(m), size(n), size(k), 1, a.start,
      size(max(1, a.columns)), b.start, size(max(1, b.columns)), accumulate ? 1 : 0, c,
      size(columnsOfC))
  }

  private static func size(_ value: Int) -> blasint {
    guard let size = blasint(exactly: value) else {
      preconditionFailure("matrix product: \(value) is beyond the library's \(blasint.max)")
    }
    return size
  }
}
