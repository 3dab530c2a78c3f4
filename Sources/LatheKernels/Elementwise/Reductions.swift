internal import CKernels

/// What a reduction makes of many numbers.
public enum Reduction: Int32, CaseIterable, Sendable {
  /// Their sum, in an order fixed by the sizes.
  case sum
  /// Their maximum; NaN when any is NaN.
  case maximum
}

/// y[o, i] = the reduction over r of x[o, r, i].
///
/// Shapes: x `[outer, reduced, inner]`, y `[outer, inner]`, both contiguous. Nothing reduced gives
/// 0 or −∞.
public func reduce(
  _ op: Reduction, _ x: Floats, outer: Int, reduced: Int, inner: Int, _ y: MutableFloats
) {
  if reduced == 1 {
    copyRows(x, stride: inner, y, stride: inner, rows: outer, length: inner)
  } else if inner == 1 && reduced <= pieceSize {
    forEachRows(outer, of: reduced) { rows in
      let first = rows.lowerBound
      ck_reduce_rows(op.rawValue, x + first * reduced, rows.count, reduced, y + first)
    }
  } else if reduced * inner <= pieceSize {
    forEachRows(outer, of: reduced * inner) { blocks in
      for o in blocks {
        let block = Block(start: x + o * reduced * inner, stride: inner, rows: reduced)
        reduceColumns(op, block, columns: inner, y + o * inner)
      }
    }
  } else {
    for o in 0..<outer {
      let block = Block(start: x + o * reduced * inner, stride: inner, rows: reduced)
      reduceInPieces(op, block, columns: inner, y + o * inner)
    }
  }
}

/// A matrix with a distance of `stride` floats between its rows.
private struct Block {
  var start: Floats
  var stride: Int
  var rows: Int
}

/// Each column of a block that is small enough for one thread.
private func reduceColumns(_ op: Reduction, _ x: Block, columns: Int, _ y: MutableFloats) {
  let width = Int(CK_BLOCK)
  for first in stride(from: 0, to: columns, by: width) {
    let taken = min(width, columns - first)
    ck_reduce_columns(op.rawValue, x.start + first, x.stride, x.rows, taken, y + first)
  }
}

/// Pieces of some rows and at most CK_BLOCK columns, then the reduction of what they give.
private func reduceInPieces(_ op: Reduction, _ x: Block, columns: Int, _ y: MutableFloats) {
  let grid = PieceGrid(rows: x.rows, columns: columns)
  let partials = Scratch.partials.floats(grid.bands * columns)
  grid.forEach { band, rows, taken in
    ck_reduce_columns(
      op.rawValue, x.start + rows.lowerBound * x.stride + taken.lowerBound, x.stride, rows.count,
      taken.count, partials + band * columns + taken.lowerBound)
  }
  reduceColumns(op, Block(start: partials, stride: columns, rows: grid.bands), columns: columns, y)
}

/// A matrix cut into pieces of at most CK_BLOCK columns and about `pieceSize` floats.
struct PieceGrid {
  let rows, columns: Int

  var width: Int { max(1, min(columns, Int(CK_BLOCK))) }
  var height: Int { rowsInPiece(of: width) }
  /// Bands of rows; fixed by the sizes alone.
  var bands: Int { (rows + height - 1) / height }

  /// Runs `body(band, rows, columns)` for each piece.
  func forEach(_ body: (_ band: Int, _ rows: Range<Int>, _ columns: Range<Int>) -> Void) {
    let across = (columns + width - 1) / width
    Workers.forEach(bands * across) { piece, _ in
      let (band, block) = piece.quotientAndRemainder(dividingBy: across)
      body(
        band, band * height..<min(rows, (band + 1) * height),
        block * width..<min(columns, (block + 1) * width))
    }
  }
}

/// Σ a · b, in an order fixed by the count; pieces are added up in double precision.
public func dot(_ a: Floats, _ b: Floats, count: Int) -> Float {
  let pieces = (count + pieceSize - 1) / pieceSize
  let partials = Scratch.partials.floats(pieces)
  forEachRange(count) { range in
    let start = range.lowerBound
    partials[start / pieceSize] = ck_dot(a + start, b + start, range.count)
  }
  return Float((0..<pieces).reduce(0.0) { $0 + Double(partials[$1]) })
}

/// Whether no element is infinite or NaN.
public func isFinite(_ x: Floats, count: Int) -> Bool {
  let pieces = (count + pieceSize - 1) / pieceSize
  let finite = Scratch.partials.floats(pieces)
  forEachRange(count) { range in
    let start = range.lowerBound
    finite[start / pieceSize] = Float(ck_is_finite(x + start, range.count))
  }
  return (0..<pieces).allSatisfy { finite[$0] == 1 }
}
