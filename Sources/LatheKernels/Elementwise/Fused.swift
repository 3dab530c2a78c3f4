internal import CKernels

/// y = x + bias for each row, then ReLU if asked; in place allowed.
///
/// Shapes: x and y `[rows, channels]`, bias `[channels]`.
public func addBias(
  _ x: Floats, _ bias: Floats, rows: Int, channels: Int, relu: Bool, _ y: MutableFloats
) {
  forEachRows(rows, of: channels) { range in
    let first = range.lowerBound * channels
    ck_add_bias(x + first, bias, range.count, channels, relu ? 1 : 0, y + first)
  }
}

/// dBias = the sum of `gradient` over the rows.
///
/// Shapes: gradient `[rows, channels]`, dBias `[channels]`.
public func biasGradient(_ gradient: Floats, rows: Int, channels: Int, dBias: MutableFloats) {
  reduce(.sum, gradient, outer: 1, reduced: rows, inner: channels, dBias)
}

/// Gradients of `addBias` with ReLU: dx = `gradient` where the output `y` is above zero and 0
/// elsewhere, dBias = its sum over the rows. dx may be nil, or `gradient` itself.
///
/// Shapes: gradient, y and dx `[rows, channels]`, dBias `[channels]`.
public func biasGradient(
  _ gradient: Floats, _ y: Floats, rows: Int, channels: Int, dx: MutableFloats?,
  dBias: MutableFloats
) {
  let grid = PieceGrid(rows: rows, columns: channels)
  let partials = Scratch.partials.floats(grid.bands * channels)
  grid.forEach { band, rows, columns in
    let first = rows.lowerBound * channels + columns.lowerBound
    ck_gated_sums(
      gradient + first, y + first, channels, rows.count, columns.count, dx.map { $0 + first },
      partials + band * channels + columns.lowerBound)
  }
  for c in 0..<channels {
    dBias[c] = Float((0..<grid.bands).reduce(0.0) { $0 + Double(partials[$1 * channels + c]) })
  }
}
