import LatheFiles
internal import CKernels
internal import COpenBLAS

/// C = op(A) op(B), or C += op(A) op(B), row-major; operands rounded to `precision`, sums in
/// float32.
///
/// Shapes: op(A) `[m, k]`, op(B) `[k, n]`, C `[m, n]`; what is transposed lies in memory as `[k,
/// m]` or `[n, k]`. C lies apart from both. By tiles, the bits of a row depend neither on how many
/// rows there are nor on which of A and B is stored transposed. `usesTiles` is whether this
/// package's tiles multiply where the processor has them (`Processor.usesTiles`), not OpenBLAS.
public func gemm(
  _ a: Floats, transposed aTransposed: Bool, _ b: Floats, transposed bTransposed: Bool,
  _ c: MutableFloats,
  m: Int, n: Int, k: Int, accumulate: Bool, precision: Precision = .float32, usesTiles: Bool = true
) {
  let (a, b, packing) = rounded(a, count: m * k, b, count: k * n, precision, usesTiles)
  let left = Operand(start: a, transposed: aTransposed, columns: aTransposed ? m : k)
  let right = Operand(start: b, transposed: bTransposed, columns: bTransposed ? k : n)
  switch GEMMStrategy(left: left, right: right, m: m, n: n, k: k, packing: packing) {
  case .openBLAS:
    gemmByOpenBLAS(left, right, c, m: m, n: n, k: k, accumulate: accumulate)
  case .tiles:
    gemmByTiles(
      TiledGEMM(left: left, right: right, k: k, packing: packing), c, m: m, n: n,
      accumulate: accumulate)
  case .tilesOfColumns:
    gemmByTilesOfColumns(
      TiledGEMM(left: right.flipped, right: left.flipped, k: k, packing: packing), c, m: m, n: n,
      accumulate: accumulate)
  }
}

private func gemmByOpenBLAS(
  _ left: Operand, _ right: Operand, _ c: MutableFloats, m: Int, n: Int, k: Int, accumulate: Bool
) {
  let cut = GEMMPartition(m: m, n: n, k: k)
  Workers.forEach(cut.pieces) { piece, _ in
    let (rows, columns) = cut.piece(piece)
    let first = rows.lowerBound * n + columns.lowerBound
    OpenBLAS.gemm(
      left.fromRow(rows.lowerBound), right.fromColumn(columns.lowerBound), c + first,
      columnsOfC: n, m: rows.count, n: columns.count, k: k, accumulate: accumulate)
  }
}

private func gemmByTiles(
  _ gemm: TiledGEMM, _ c: MutableFloats, m: Int, n: Int, accumulate: Bool
) {
  let isTall = m >= 2 * blockRows && gemm.k * n <= maximumPackedNumbers
  if Tiles.areNarrow && (gemm.left.transposed || isTall) {
    gemmByRowPanels(gemm, c, m: m, n: n, accumulate: accumulate)
    return
  }
  let width =
    gemm.left.transposed ? max(1, n) : blockColumns(m: m, n: n, k: gemm.k)
  let height = gemm.left.transposed ? blockRows / (gemm.k > 512 ? 4 : 2) : blockRows
  var gemm = gemm
  let isShared = m <= height && width < n
  if gemm.packing == .bf16Pairs && !gemm.left.transposed && isShared { gemm.packLeftPairs(rows: m) }
  let ready = gemm
  forEachBlock(m, n, height: height, width: width) { rows, columns in
    ready.write(
      rows, columns, to: c + rows.lowerBound * n + columns.lowerBound, columnsOfC: n,
      accumulate: accumulate)
  }
}

/// Row panels of few rows, so that each is written from its beginning to its end and its left
/// operand stays in the cache: the gradient of weights, and pixels of 1 × 1 convolutions.
private func gemmByRowPanels(
  _ gemm: TiledGEMM, _ c: MutableFloats, m: Int, n: Int, accumulate: Bool
) {
  var gemm = gemm
  gemm.packRight(columns: n)
  let packed = gemm
  forEachBlock(m, n, height: rowPanelHeight, width: max(1, n)) { rows, columns in
    packed.write(
      rows, columns, to: c + rows.lowerBound * n, columnsOfC: n, accumulate: accumulate)
  }
}

/// Numbers of the right operand that every row panel of a tall GEMM may read again.
private let maximumPackedNumbers = 1 << 20

/// Rows in a row panel: whole narrow tiles, of 6 rows or of 4.
private let rowPanelHeight = 48

/// `gemm` is the transposed one, [n, m].
private func gemmByTilesOfColumns(
  _ gemm: TiledGEMM, _ c: MutableFloats, m: Int, n: Int, accumulate: Bool
) {
  var gemm = gemm
  gemm.packRight(columns: m)
  let packed = gemm
  forEachBlock(n, m, height: transposedRows, width: max(1, m)) { columns, rows in
    let block = Scratch.block.floats(columns.count * rows.count)
    let start = c + columns.lowerBound
    if accumulate { ck_transpose(start, n, block, rows.count, rows.count, columns.count) }
    packed.write(columns, rows, to: block, columnsOfC: rows.count, accumulate: accumulate)
    ck_transpose(block, rows.count, start, n, columns.count, rows.count)
  }
}

/// Rows of a GEMM that one piece takes: packing its panels is then a small part of the work.
private let blockRows = 512

/// Columns of the result in one piece that transposes them.
private let transposedRows = 64

/// Columns in one piece: half a million multiplications at least, and not too few pieces.
private func blockColumns(m: Int, n: Int, k: Int) -> Int {
  let wanted = n / 8 / panelWidth * panelWidth
  let minimum = (1 << 22) / max(1, min(m, blockRows) * k) / panelWidth * panelWidth
  return max(panelWidth, wanted, minimum)
}

/// Runs `body` for blocks of a matrix of `m` rows and `n` columns.
func forEachBlock(
  _ m: Int, _ n: Int, height: Int, width: Int, _ body: (Range<Int>, Range<Int>) -> Void
) {
  let down = (m + height - 1) / height
  let across = (n + width - 1) / width
  Workers.forEach(down * across) { piece, _ in
    let (i, j) = piece.quotientAndRemainder(dividingBy: across)
    body(
      i * height..<min(m, (i + 1) * height), j * width..<min(n, (j + 1) * width))
  }
}

/// Both operands as `precision` wants them: where no kernel takes bf16 pairs, rounded floats.
func rounded(
  _ a: Floats, count aCount: Int, _ b: Floats, count bCount: Int, _ precision: Precision,
  _ usesTiles: Bool
) -> (Floats, Floats, Packing) {
  let packing = Packing(precision, usesTiles: usesTiles)
  if precision == .float32 || packing == .bf16Pairs { return (a, b, packing) }
  let left = Scratch.roundedLeft.floats(aCount)
  let right = Scratch.roundedRight.floats(bCount)
  forEachRange(aCount) { ck_round_to_bfloat16(a + $0.lowerBound, left + $0.lowerBound, $0.count) }
  forEachRange(bCount) { ck_round_to_bfloat16(b + $0.lowerBound, right + $0.lowerBound, $0.count) }
  return (Floats(left), Floats(right), packing)
}

/// C = op(A) op(B) or C += op(A) op(B) on the calling thread, by OpenBLAS in floats unless tiles
/// are narrow, and by tiles in bf16 pairs; rows of C are `columnsOfC` apart.
func gemm(
  _ packing: Packing, _ a: Operand, _ b: Operand, _ c: MutableFloats, columnsOfC: Int, m: Int,
  n: Int,
  k: Int,
  accumulate: Bool
) {
  if packing == .unpacked || packing == .floats && !Tiles.areNarrow {
    OpenBLAS.gemm(
      a, b, c, columnsOfC: columnsOfC, m: m, n: n, k: k, accumulate: accumulate)
  } else {
    TiledGEMM(left: a, right: b, k: k, packing: packing).write(
      0..<m, 0..<n, to: c, columnsOfC: columnsOfC, accumulate: accumulate)
  }
}

/// A matrix in memory: row-major with `columns` columns, read as it lies or transposed.
struct Operand {
  var start: Floats
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

/// How a GEMM is shared out: panels of rows, or of columns when these are more.
struct GEMMPartition {
  let m, n, k: Int

  /// Multiplications that are worth a piece of their own.
  static let work = 1 << 26
  /// Enough for the threads of one rank.
  static let maximumPieces = 8
  /// Row panels are multiples of this; shorter ones would pack the other operand too often.
  static let grain = 512

  var alongColumns: Bool { n > m }
  var length: Int { alongColumns ? n : m }

  /// Rows or columns in a row panel.
  var rowPanel: Int {
    let wanted = max(1, min(Self.maximumPieces, m * n * k / Self.work))
    let even = (length + wanted - 1) / wanted
    return max(1, (even + Self.grain - 1) / Self.grain * Self.grain)
  }

  var pieces: Int { m == 0 || n == 0 ? 0 : (length + rowPanel - 1) / rowPanel }

  func piece(_ number: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let range = number * rowPanel..<min(length, (number + 1) * rowPanel)
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
  static func gemm(
    _ a: Operand, _ b: Operand, _ c: MutableFloats, columnsOfC: Int, m: Int, n: Int, k: Int,
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
      trap("gemm: \(value) is beyond the library's \(blasint.max)")
    }
    return size
  }
}
