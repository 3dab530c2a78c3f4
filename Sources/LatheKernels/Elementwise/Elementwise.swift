internal import CKernels

/// Floats to read: a matrix or tensor by its first element, contiguous unless strides are given.
public typealias Floats = UnsafePointer<Float>

/// Floats to write; apart from every input unless a function says "in place".
public typealias MutableFloats = UnsafeMutablePointer<Float>

/// Functions of one number.
///
/// The largest errors, in units in the last place against double-precision libm over all floats:
/// `exp` 1.1, `log` 1, `sigmoid` 2.5, `tanh` 2, `softplus` 2, `sine` and `cosine` 2; the others are
/// rounded correctly. Infinities, NaN, signed zeros and subnormal numbers give what the function's
/// limits say: log 0 = −∞, exp of more than 88.73 is ∞, softplus(−∞) = 0. NaN gives NaN, except for
/// `sign`, where it gives 0.
public enum Unary: Int32, CaseIterable, Sendable {
  case exp, log, sqrt
  /// 1 / (1 + e⁻ˣ).
  case sigmoid
  case tanh
  /// log(1 + eˣ).
  case softplus
  /// max(x, 0).
  case relu
  case negate, square, reciprocal, absolute
  /// −1, 0 or 1.
  case sign
  case sine, cosine
  /// The nearest integer; of two, the even one.
  case round
}

/// y = op(x), element by element; in place allowed.
public func map(_ op: Unary, _ x: Floats, _ y: MutableFloats, count: Int) {
  forEachRange(count) { range in
    ck_map(op.rawValue, x + range.lowerBound, y + range.lowerBound, range.count)
  }
}

/// y = scale · x + offset; in place allowed.
public func affine(_ x: Floats, scale: Float, offset: Float, _ y: MutableFloats, count: Int) {
  forEachRange(count) { range in
    ck_affine(x + range.lowerBound, scale, offset, y + range.lowerBound, range.count)
  }
}

/// y = x, but at least `from` and at most `to`; in place allowed. NaN stays NaN.
public func clamp(_ x: Floats, from: Float, to: Float, _ y: MutableFloats, count: Int) {
  forEachRange(count) { range in
    ck_clamp(x + range.lowerBound, from, to, y + range.lowerBound, range.count)
  }
}

/// y = x where x > 0, slope · x elsewhere; in place allowed.
public func leakyRelu(_ x: Floats, slope: Float, _ y: MutableFloats, count: Int) {
  forEachRange(count) { range in
    ck_leaky_relu(x + range.lowerBound, slope, y + range.lowerBound, range.count)
  }
}

/// y = gradient where x > 0, slope · gradient elsewhere; in place allowed.
public func leakyGate(_ gradient: Floats, _ x: Floats, slope: Float, _ y: MutableFloats, count: Int)
{
  forEachRange(count) { range in
    let start = range.lowerBound
    ck_leaky_gate(gradient + start, x + start, slope, y + start, range.count)
  }
}

/// y = gradient where from <= x <= to, 0 elsewhere; in place allowed.
public func clampGate(
  _ gradient: Floats, _ x: Floats, from: Float, to: Float, _ y: MutableFloats, count: Int
) {
  forEachRange(count) { range in
    let start = range.lowerBound
    ck_clamp_gate(gradient + start, x + start, from, to, y + start, range.count)
  }
}

/// Functions of two numbers.
public enum Binary: Int32, CaseIterable, Sendable {
  case add, subtract, multiply, divide
  /// NaN where either is NaN.
  case maximum, minimum
  /// 1 where the comparison holds, 0 elsewhere.
  case equal, greater
}

/// y = op(a, b), element by element.
///
/// `aStep` and `bStep` are 1, or 0 where one value serves for all. In place allowed for an operand
/// whose step is 1.
public func combine(
  _ op: Binary, _ a: Floats, step aStep: Int, _ b: Floats, step bStep: Int, _ y: MutableFloats,
  count: Int
) {
  forEachRange(count) { range in
    let start = range.lowerBound
    ck_combine(
      op.rawValue, a + start * aStep, aStep, b + start * bStep, bStep, y + start, range.count)
  }
}

/// y = op(a, b) over `rows` × `columns`, y contiguous.
///
/// Element (r, c) takes `a[r * aRow + c * aColumn]` and `b[r * bRow + c * bColumn]`; a stride is 0
/// where the operand is broadcast. In place allowed for an operand that lies as y does.
public func combine(
  _ op: Binary, _ a: Floats, rowStride aRow: Int, columnStride aColumn: Int, _ b: Floats,
  rowStride bRow: Int, columnStride bColumn: Int, _ y: MutableFloats, rows: Int, columns: Int
) {
  forEachRows(rows, of: columns) { range in
    let start = range.lowerBound
    ck_combine_rows(
      op.rawValue, a + start * aRow, aRow, aColumn, b + start * bRow, bRow, bColumn,
      y + start * columns, range.count, columns)
  }
}

/// y += x.
public func accumulate(_ x: Floats, into y: MutableFloats, count: Int) {
  accumulate(x, scale: 1, into: y, count: count)
}

/// y += scale · x.
public func accumulate(_ x: Floats, scale: Float, into y: MutableFloats, count: Int) {
  forEachRange(count) { range in
    ck_accumulate(x + range.lowerBound, scale, y + range.lowerBound, range.count)
  }
}

/// y = value.
public func fill(_ y: MutableFloats, with value: Float, count: Int) {
  forEachRange(count) { range in ck_fill(y + range.lowerBound, value, range.count) }
}
