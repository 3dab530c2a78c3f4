import LatheFiles
import LatheNN

/// Hands out training batches slice by slice, as floats in [0, 1].
///
/// Draw d is the d-th global batch, positions d·batch ..< (d+1)·batch of the order; slice s of it
/// is the s-th of `slices` equal parts. What a slice holds depends on (seed, d, s) alone: any rank
/// may ask for any slice, in any order, as often as it likes.
public struct BatchLoader: Sendable {
  /// Where the images come from.
  public let images: ImageSet
  /// Which image stands at which position.
  public let order: Order
  /// Parts of a global batch.
  public let slices: Int
  /// What happens to the images, drawn by (seed, position).
  public let augmentation: Augmentation

  /// A loader of `order.batch` images a draw; `slices` must divide it.
  public init(
    images: ImageSet, order: Order, slices: Int, augmentation: Augmentation = Augmentation()
  ) {
    require(
      images.count == order.count,
      "BatchLoader: \(images.count) images and an order of \(order.count)")
    require(
      slices > 0 && order.batch % slices == 0,
      "BatchLoader: a batch of \(order.batch) in \(slices) slices")
    self.images = images
    self.order = order
    self.slices = slices
    self.augmentation = augmentation
  }

  /// Images in a slice.
  public var imagesPerSlice: Int { order.batch / slices }

  /// Floats in a slice, `imagesPerSlice · height · width · channels`.
  public var valuesPerSlice: Int { imagesPerSlice * images.shape.count }

  /// Writes a slice's images to `destination`: `[imagesPerSlice, height, width, channels]`, value /
  /// 255.
  public func fill(_ destination: UnsafeMutablePointer<Float>, draw: Int, slice: Int) {
    var target = destination
    for position in positions(draw: draw, slice: slice) {
      let image = order.index(at: position)
      if augmentation.isIdentity {
        images.copyValues(of: image, to: target)
      } else {
        augmentation.view(images.shape, at: position, of: order)
          .copy(images.values(of: image), images.shape, to: target)
      }
      target += images.shape.count
    }
  }

  /// The labels of a slice's images, `[imagesPerSlice]`.
  public func labels(draw: Int, slice: Int) -> [UInt8] {
    indices(draw: draw, slice: slice).map { images.labels[$0] }
  }

  /// The numbers of a slice's images, `[imagesPerSlice]`.
  public func indices(draw: Int, slice: Int) -> [Int] {
    positions(draw: draw, slice: slice).map { order.index(at: $0) }
  }

  private func positions(draw: Int, slice: Int) -> Range<Int> {
    require(slice >= 0 && slice < slices, "BatchLoader: slice \(slice) of \(slices)")
    let start = draw * order.batch + slice * imagesPerSlice
    return start..<start + imagesPerSlice
  }
}
