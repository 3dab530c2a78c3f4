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

/// The largest |x|; NaN is passed over.
public func largestMagnitude(_ x: Floats, count: Int) -> Float {
  var largest = SIMD8<Float>.zero
  let whole = count & ~7
  for i in stride(from: 0, to: whole, by: 8) {
    let values = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self)
    let magnitudes = values.replacing(with: -values, where: values .< 0)
    largest.replace(with: magnitudes, where: magnitudes .> largest)
  }
  return (whole..<count).reduce(largest.max()) { abs(x[$1]) > $0 ? abs(x[$1]) : $0 }
}

/// Adds up squares so that the sum does not depend on their order or on how they are shared out.
///
/// Demmel and Nguyen, "Fast Reproducible Floating-Point Summation", ARITH 2013: each square is
/// rounded to a grid on which sums of doubles are exact, and what is left to a second, finer one.
/// The sums of two parts add up to that of the whole, grid by grid.
public struct ExactSquares: Sendable {
  /// The sums on the coarse and on the fine grid; together the sum of all squares, which is not
  /// finite if a number was not.
  public private(set) var sums = (coarse: 0.0, fine: 0.0)
  /// What rounds to each grid when it is added and taken away; 0 rounds nothing.
  private var (coarse, fine) = (0.0, 0.0)

  /// For at most `count` numbers of magnitudes up to `largest`.
  public init(largest: Float, count: Int) {
    guard largest > 0, largest.isFinite else { return }
    // On a grid of 2^q, 2^(53 + q) is exact; x + 1.5 · 2^(52 + q) rounds x to it.
    let bits = Double(count + 1).exponent + 1
    let grid = 2 * (Double(largest).exponent + 1) + bits - 52
    coarse = Double(sign: .plus, exponent: Int(grid) + 52, significand: 1.5)
    fine = Double(sign: .plus, exponent: Int(grid + bits) - 1, significand: 1.5)
  }

  /// Takes up the sums of another part.
  public mutating func add(_ coarse: Double, _ fine: Double) {
    sums.coarse += coarse
    sums.fine += fine
  }

  /// Takes up `count` numbers.
  public mutating func add(_ x: Floats, count: Int) {
    var (coarseSum, fineSum) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    let whole = count & ~3
    for i in stride(from: 0, to: whole, by: 4) {
      let values = SIMD4<Double>(
        UnsafeRawPointer(x + i).loadUnaligned(as: SIMD4<Float>.self))
      add(values * values, &coarseSum, &fineSum)
    }
    for i in whole..<count {
      let value = Double(x[i])
      add(SIMD4(value * value, 0, 0, 0), &coarseSum, &fineSum)
    }
    add(coarseSum.sum(), fineSum.sum())
  }

  @inline(__always) private func add(
    _ squares: SIMD4<Double>, _ coarseSum: inout SIMD4<Double>, _ fineSum: inout SIMD4<Double>
  ) {
    let rounded = (squares + coarse) - coarse
    coarseSum += rounded
    fineSum += ((squares - rounded) + fine) - fine
  }
}

/// The first place from `start` on where x − y is at least `least`; `count` if there is none.
public func firstPlace(
  from start: Int, where x: Floats, minus y: Floats, reaches least: Float, count: Int
) -> Int {
  ck_first_reaching(x, y, least, start, count)
}
