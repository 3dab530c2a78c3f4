import LatheKernels

extension Tensor {
  /// Element by element, axes of size 1 repeated as needed.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    let (storage, shape) = combine(.add, a, b, "+")
    return record(storage, shape, .binary(.add), from: [a, b]) { pull in
      [
        pull(0) { pull.gradient.summed(to: a.shape) },
        pull(1) { pull.gradient.summed(to: b.shape) },
      ]
    }
  }

  /// Element by element, axes of size 1 repeated as needed.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    let (storage, shape) = combine(.subtract, a, b, "-")
    return record(storage, shape, .binary(.subtract), from: [a, b]) { pull in
      [
        pull(0) { pull.gradient.summed(to: a.shape) },
        pull(1) { (-pull.gradient).summed(to: b.shape) },
      ]
    }
  }

  /// Element by element, axes of size 1 repeated as needed.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    let (storage, shape) = combine(.multiply, a, b, "*")
    return record(storage, shape, .binary(.multiply), from: [a, b]) { pull in
      [
        pull(0) { (pull.gradient * b).summed(to: a.shape) },
        pull(1) { (pull.gradient * a).summed(to: b.shape) },
      ]
    }
  }

  /// Element by element, axes of size 1 repeated as needed.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let (storage, shape) = combine(.divide, a, b, "/")
    return record(storage, shape, .binary(.divide), from: [a, b], keepingOutput: true) { pull in
      [
        pull(0) { (pull.gradient / b).summed(to: a.shape) },
        pull(1) { (-pull.gradient * pull.output / b).summed(to: b.shape) },
      ]
    }
  }

  /// −x.
  public static prefix func - (x: Tensor) -> Tensor { x.affine(scale: -1, offset: 0) }

  public static func + (x: Tensor, value: Float) -> Tensor { x.affine(scale: 1, offset: value) }
  public static func + (value: Float, x: Tensor) -> Tensor { x.affine(scale: 1, offset: value) }
  public static func - (x: Tensor, value: Float) -> Tensor { x.affine(scale: 1, offset: -value) }
  public static func - (value: Float, x: Tensor) -> Tensor { x.affine(scale: -1, offset: value) }
  public static func * (x: Tensor, value: Float) -> Tensor { x.affine(scale: value, offset: 0) }
  public static func * (value: Float, x: Tensor) -> Tensor { x.affine(scale: value, offset: 0) }
  public static func / (x: Tensor, value: Float) -> Tensor { x.affine(scale: 1 / value, offset: 0) }
  public static func / (value: Float, x: Tensor) -> Tensor { value * reciprocal(x) }

  /// scale · x + offset.
  func affine(scale: Float, offset: Float) -> Tensor {
    let storage = Storage(count: shape.count)
    Profile.measure(.elementwise) {
      LatheKernels.affine(
        pointer, scale: scale, offset: offset, storage.pointer, count: shape.count)
    }
    return record(storage, shape, .affine(scale: scale, offset: offset), from: [self]) {
      [$0.gradient.affine(scale: scale, offset: 0)]
    }
  }
}

/// 1 where the elements are equal, 0 elsewhere; no gradient flows.
func equal(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (storage, shape) = combine(.equal, a, b, "equal")
  return Tensor(storage, shape: shape)
}

/// The operation over broadcast operands.
private func combine(_ op: LatheKernels.Binary, _ a: Tensor, _ b: Tensor, _ name: StaticString)
  -> (Storage, Shape)
{
  let shape = Shape.broadcast(a.shape, b.shape, name)
  let storage = Storage(count: shape.count)
  if a.shape == b.shape {
    Profile.measure(.elementwise) {
      LatheKernels.combine(
        op, a.pointer, step: 1, b.pointer, step: 1, storage.pointer, count: shape.count)
    }
  } else {
    BroadcastPlan(shape, a.shape, b.shape).run(op, a.pointer, b.pointer, storage.pointer)
  }
  return (storage, shape)
}

/// Nested loops over the axes of a broadcast operation, neighbouring axes merged where both
/// operands allow.
private struct BroadcastPlan {
  private struct Axis { var size, a, b: Int }
  private var axes: [Axis] = []

  init(_ shape: Shape, _ a: Shape, _ b: Shape) {
    let (aStrides, bStrides) = (a.strides, b.strides)
    func stride(_ axis: Int, _ operand: Shape, _ strides: [Int]) -> Int {
      let own = axis - (shape.rank - operand.rank)
      return own < 0 || operand.sizes[own] == 1 ? 0 : strides[own]
    }
    for axis in 0..<shape.rank where shape.sizes[axis] != 1 {
      append(
        Axis(size: shape.sizes[axis], a: stride(axis, a, aStrides), b: stride(axis, b, bStrides)))
    }
  }

  private mutating func append(_ inner: Axis) {
    if let outer = axes.last, outer.a == inner.a * inner.size, outer.b == inner.b * inner.size {
      axes[axes.count - 1] = Axis(size: outer.size * inner.size, a: inner.a, b: inner.b)
    } else {
      axes.append(inner)
    }
  }

  func run(_ op: LatheKernels.Binary, _ a: Floats, _ b: Floats, _ y: MutableFloats) {
    run(op, a, b, y, axes[...], outputStride: axes.reduce(1) { $0 * $1.size })
  }

  private func run(
    _ op: LatheKernels.Binary, _ a: Floats, _ b: Floats, _ y: MutableFloats,
    _ axes: ArraySlice<Axis>,
    outputStride: Int
  ) {
    guard axes.count > 2, let outer = axes.first else { return runInner(op, a, b, y, Array(axes)) }
    let stride = outputStride / max(outer.size, 1)
    for index in 0..<outer.size {
      run(
        op, a + index * outer.a, b + index * outer.b, y + index * stride, axes.dropFirst(),
        outputStride: stride)
    }
  }

  private func runInner(
    _ op: LatheKernels.Binary, _ a: Floats, _ b: Floats, _ y: MutableFloats, _ axes: [Axis]
  ) {
    let one = Axis(size: 1, a: 0, b: 0)
    let rows = axes.count == 2 ? axes[0] : one
    let columns = axes.last ?? one
    Profile.measure(.elementwise) {
      LatheKernels.combine(
        op, a, rowStride: rows.a, columnStride: columns.a, b, rowStride: rows.b,
        columnStride: columns.b, y, rows: rows.size, columns: columns.size)
    }
  }
}
