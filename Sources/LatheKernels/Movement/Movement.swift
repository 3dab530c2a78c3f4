import LatheFiles
internal import CKernels

/// Copies `rows` runs of `length` floats; row r goes from `x + r * xStride` to `y + r * yStride`.
public func copyRows(
  _ x: Floats, stride xStride: Int, _ y: MutableFloats, stride yStride: Int, rows: Int, length: Int
) {
  forEachRows(rows, of: length) { range in
    let first = range.lowerBound
    ck_copy_rows(x + first * xStride, xStride, y + first * yStride, yStride, range.count, length)
  }
}

/// y[r] = x[indices[r]], rows of `length` floats; the caller answers for the indices.
public func gatherRows(_ x: Floats, indices: [Int32], length: Int, _ y: MutableFloats) {
  indices.withUnsafeBufferPointer { indices in
    guard let first = indices.baseAddress else { return }
    ck_gather_rows(x, first, indices.count, length, y)
  }
}

/// y[indices[r]] += x[r], rows of `length` floats, in order of r; the caller answers for the
/// indices.
public func scatterAddRows(_ x: Floats, indices: [Int32], length: Int, _ y: MutableFloats) {
  indices.withUnsafeBufferPointer { indices in
    guard let first = indices.baseAddress else { return }
    ck_scatter_add_rows(x, first, indices.count, length, y)
  }
}

/// y = x with its axes in another order: axis k of y is axis `permutation[k]` of x.
///
/// Shapes: x `sizes`, y `[sizes[permutation[0]], sizes[permutation[1]], …]`, both contiguous.
public func permute(_ x: Floats, sizes: [Int], permutation: [Int], _ y: MutableFloats) {
  require(
    permutation.sorted() == Array(sizes.indices),
    "permute: \(permutation) is no order of the axes of \(sizes)")
  guard !sizes.contains(0) else { return }
  let axes = mergedAxes(sizes: sizes, permutation: permutation)
  if axes.last?.xStride ?? 1 == 1 {
    copyRuns(x, axes, y)
  } else {
    transposePlanes(x, axes, y)
  }
}

/// One axis of the result: its size and how far apart its elements lie in x and in y.
private struct Axis {
  var size, xStride, yStride: Int
}

/// The axes in the order of y, without those of size 1, and with those that stay neighbours
/// made one.
private func mergedAxes(sizes: [Int], permutation: [Int]) -> [Axis] {
  var xStrides = [Int](repeating: 1, count: sizes.count)
  for k in sizes.indices.dropLast().reversed() { xStrides[k] = xStrides[k + 1] * sizes[k + 1] }
  var axes: [Axis] = []
  var yStride = 1
  for k in permutation.reversed() where sizes[k] > 1 {
    if let inner = axes.first, inner.xStride * inner.size == xStrides[k] {
      axes[0].size *= sizes[k]
    } else {
      axes.insert(Axis(size: sizes[k], xStride: xStrides[k], yStride: yStride), at: 0)
    }
    yStride *= sizes[k]
  }
  return axes
}

/// The last axis stays last: runs are copied.
private func copyRuns(_ x: Floats, _ axes: [Axis], _ y: MutableFloats) {
  let run = axes.last?.size ?? 1
  let rows = axes.dropLast().last ?? Axis(size: 1, xStride: run, yStride: run)
  forEachIndex(of: axes.dropLast(2)) { xOffset, yOffset in
    copyRows(
      x + xOffset, stride: rows.xStride, y + yOffset, stride: rows.yStride, rows: rows.size,
      length: run)
  }
}

/// The last axis of x moves: planes of it and the last axis of y are transposed.
private func transposePlanes(_ x: Floats, _ axes: [Axis], _ y: MutableFloats) {
  let last = axes.count - 1
  guard let moved = axes.firstIndex(where: { $0.xStride == 1 }) else { return }
  let (rows, columns) = (axes[last], axes[moved])
  let others = axes.indices.filter { $0 != moved && $0 != last }.map { axes[$0] }
  forEachIndex(of: others[...]) { xOffset, yOffset in
    forEachRows(columns.size, of: rows.size) { range in
      let first = range.lowerBound
      ck_transpose(
        x + xOffset + first, rows.xStride, y + yOffset + first * columns.yStride, columns.yStride,
        rows.size, range.count)
    }
  }
}

/// Runs `body` with the offsets of each combination of indices of the axes, on the workers.
private func forEachIndex(
  of axes: ArraySlice<Axis>, _ body: (_ xOffset: Int, _ yOffset: Int) -> Void
) {
  Workers.forEach(axes.reduce(1) { $0 * $1.size }) { piece, _ in
    var (rest, xOffset, yOffset) = (piece, 0, 0)
    for axis in axes.reversed() {
      let index = rest % axis.size
      rest /= axis.size
      xOffset += index * axis.xStride
      yOffset += index * axis.yStride
    }
    body(xOffset, yOffset)
  }
}
