import LatheFiles
import LatheKernels

extension Tensor {
  /// The same values in another shape of as many elements.
  public func reshaped(to target: Shape) -> Tensor {
    guard target != shape else { return self }
    require(target.count == shape.count, "reshape: \(shape) to \(target)")
    return record(storage, target, .reshape, from: [self]) { [shape] in
      [$0.gradient.reshaped(to: shape)]
    }
  }

  /// `[N, …]` as `[N, the product of the rest]`.
  public var flattened: Tensor {
    reshaped(to: [shape[0], shape.sizes.dropFirst().reduce(1, *)])
  }

  /// Axis k of the result is axis `permutation[k]`; all axes reversed when no permutation is given.
  public func transposed(_ permutation: Int...) -> Tensor {
    transposed(permutation.isEmpty ? Array((0..<shape.rank).reversed()) : permutation)
  }

  /// The same with the permutation as an array.
  public func transposed(_ permutation: [Int]) -> Tensor {
    require(
      permutation.sorted() == Array(0..<shape.rank), "transposed: \(permutation) for \(shape)")
    let target = Shape(permutation.map { shape.sizes[$0] })
    let storage = Storage(count: shape.count)
    Profile.measure(.movement) {
      LatheKernels.permute(pointer, sizes: shape.sizes, permutation: permutation, storage.pointer)
    }
    let inverse = permutation.indices.sorted { permutation[$0] < permutation[$1] }
    return record(storage, target, .transpose(permutation), from: [self]) {
      [$0.gradient.transposed(inverse)]
    }
  }

  /// The part of `range` along an axis.
  public func slice(_ range: Range<Int>, axis: Int) -> Tensor {
    let axis = shape.resolve(axis)
    let size = shape.sizes[axis]
    require(
      0 <= range.lowerBound && range.upperBound <= size, "slice \(range) of \(shape), axis \(axis)")
    let target = shape.replacing(axis, by: range.count)
    let (rows, inner) = rowsAndInner(axis)
    let storage = Storage(count: target.count)
    Profile.measure(.movement) {
      LatheKernels.copyRows(
        pointer + range.lowerBound * inner, stride: size * inner, storage.pointer,
        stride: range.count * inner, rows: rows, length: range.count * inner)
    }
    return record(storage, target, .slice(range, axis: axis), from: [self]) {
      [$0.gradient.padded(axis: axis, before: range.lowerBound, after: size - range.upperBound)]
    }
  }

  /// Zeros added along an axis.
  func padded(axis: Int, before: Int, after: Int) -> Tensor {
    let size = shape.sizes[axis]
    let target = shape.replacing(axis, by: before + size + after)
    let (rows, inner) = rowsAndInner(axis)
    let storage = Storage(count: target.count)
    LatheKernels.fill(storage.pointer, with: 0, count: target.count)
    Profile.measure(.movement) {
      LatheKernels.copyRows(
        pointer, stride: size * inner, storage.pointer + before * inner,
        stride: target.sizes[axis] * inner, rows: rows, length: size * inner)
    }
    return record(
      storage, target, .pad(axis: axis, before: before, after: after), from: [self]
    ) {
      [$0.gradient.slice(before..<before + size, axis: axis)]
    }
  }

  /// Rows `indices` of axis 0, in that order; rows may repeat.
  public func gather(_ indices: [Int]) -> Tensor {
    let rows = shape[0]
    require(
      indices.allSatisfy { (0..<rows).contains($0) }, "gather: an index outside 0..<\(rows)")
    let target = shape.replacing(0, by: indices.count)
    let storage = Storage(count: target.count)
    Profile.measure(.movement) {
      LatheKernels.gatherRows(
        pointer, indices: indices.map(Int32.init),
        length: target.count / Swift.max(indices.count, 1),
        storage.pointer)
    }
    return record(storage, target, .gather(indices), from: [self]) {
      [$0.gradient.scattered(to: indices, of: rows)]
    }
  }

  /// The adjoint of ``gather(_:)``: row r is added to row `indices[r]` of zeros.
  func scattered(to indices: [Int], of rows: Int) -> Tensor {
    let target = shape.replacing(0, by: rows)
    let storage = Storage(count: target.count)
    LatheKernels.fill(storage.pointer, with: 0, count: target.count)
    Profile.measure(.movement) {
      LatheKernels.scatterAddRows(
        pointer, indices: indices.map(Int32.init), length: target.count / Swift.max(rows, 1),
        storage.pointer)
    }
    return record(storage, target, .other("scattered"), from: [self]) {
      [$0.gradient.gather(indices)]
    }
  }

  /// Number of rows before an axis, and elements per index of it.
  fileprivate func rowsAndInner(_ axis: Int) -> (rows: Int, inner: Int) {
    (shape.sizes[..<axis].reduce(1, *), shape.sizes[(axis + 1)...].reduce(1, *))
  }
}

/// The tensors one behind the other along an axis; their other sizes are equal.
public func concatenated(_ parts: [Tensor], axis: Int) -> Tensor {
  guard let first = parts.first else { trap("concatenated: no tensors") }
  let axis = first.shape.resolve(axis)
  for part in parts {
    require(
      part.shape.replacing(axis, by: 0) == first.shape.replacing(axis, by: 0),
      "concatenated: \(first.shape) and \(part.shape) along axis \(axis)")
  }
  let starts = parts.indices.map { parts[..<$0].reduce(0) { $0 + $1.shape.sizes[axis] } }
  let total = parts.reduce(0) { $0 + $1.shape.sizes[axis] }
  let target = first.shape.replacing(axis, by: total)
  let (rows, inner) = first.rowsAndInner(axis)
  let storage = Storage(count: target.count)
  for (part, start) in zip(parts, starts) {
    let length = part.shape.sizes[axis] * inner
    Profile.measure(.movement) {
      LatheKernels.copyRows(
        part.pointer, stride: length, storage.pointer + start * inner, stride: total * inner,
        rows: rows, length: length)
    }
  }
  let sizes = parts.map { $0.shape.sizes[axis] }
  return record(storage, target, .concatenate(axis: axis), from: parts) { pull in
    zip(starts, sizes).enumerated().map { index, part in
      pull(index) { pull.gradient.slice(part.0..<part.0 + part.1, axis: axis) }
    }
  }
}
