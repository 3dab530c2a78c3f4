import LatheFiles
import LatheKernels

/// A float32 array of some shape, and how it came about if that matters to a gradient.
///
/// Values never change once made, except those of parameters, which optimizers move between steps.
/// Layouts are TensorFlow's: images `[N, height, width, channels]`.
public struct Tensor {
  /// Sizes of the axes.
  public let shape: Shape
  /// The values, contiguous, last axis fastest.
  public let storage: Storage
  let node: Node?

  init(_ storage: Storage, _ shape: Shape, node: Node?) {
    require(storage.count == shape.count, "Tensor: \(storage.count) values for \(shape)")
    self.storage = storage
    self.shape = shape
    self.node = node
  }

  /// A constant over existing values.
  public init(_ storage: Storage, shape: Shape) { self.init(storage, shape, node: nil) }

  /// A constant of the given values, last axis fastest.
  public init(_ values: [Float], shape: Shape) {
    self.init(shape: shape) { pointer in
      require(values.count == shape.count, "Tensor: \(values.count) values for \(shape)")
      for (index, value) in values.enumerated() { pointer[index] = value }
    }
  }

  /// A constant filled by `body`, which must write every value.
  public init(shape: Shape, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let storage = Storage(count: shape.count)
    body(storage.pointer)
    self.init(storage, shape, node: nil)
  }

  /// A constant of one value everywhere; of rank 0 when no shape is given.
  public init(filledWith value: Float, shape: Shape = []) {
    self.init(shape: shape) { LatheKernels.fill($0, with: value, count: shape.count) }
  }

  /// The values, last axis fastest.
  public var values: [Float] {
    Trace.current?.noteRead(self)
    return withExtendedLifetime(storage) {
      Array(UnsafeBufferPointer(start: storage.pointer, count: storage.count))
    }
  }

  /// The value of a tensor that has one.
  public var scalar: Float {
    require(storage.count == 1, "scalar of a tensor of shape \(shape)")
    Trace.current?.noteRead(self)
    return storage.pointer[0]
  }

  /// What the images of this tensor show, `[N, numbers of a label]`; nil if that is not known. What
  /// is made of the tensor does not know it.
  public var labels: Tensor? { storage.labels }

  /// The same images with what they show.
  public func labelled(_ labels: Tensor?) -> Tensor {
    storage.labels = labels
    return self
  }

  /// Whether gradients flow through this tensor.
  public var isDifferentiable: Bool { node != nil }

  /// The same values as a constant: no gradient flows through them.
  public var detached: Tensor { Tensor(storage, shape, node: nil) }

  /// The same values as a new variable that gradients can be taken with respect to.
  public func differentiable() -> Tensor { Tensor(storage, shape, node: Node()) }

  /// The same values as a new variable, whose gradient
  /// ``backpropagate(_:scale:into:finished:)`` writes to `gradientBuffer`.
  public func differentiable(into gradientBuffer: Storage) -> Tensor {
    require(
      gradientBuffer.count == storage.count,
      "gradientBuffer of \(gradientBuffer.count) values for \(shape)")
    return Tensor(storage, shape, node: Node(gradientBuffer: gradientBuffer))
  }

  var pointer: UnsafeMutablePointer<Float> { storage.pointer }
}
