import LatheFiles
internal import CKernels

/// A convolution between a big image and a small one, NHWC.
///
/// Small pixel (i, j) sees the big rows `i * strideHeight - paddingTop + a`, a = 0 ..<
/// kernelHeight, and columns likewise; what lies outside is zero. The padding below and on the
/// right follows from the sizes. "Big" is the side with the kernel around it: the input of a
/// convolution, the output of a transposed one. Weights are `[kernelHeight, kernelWidth,
/// bigChannels, smallChannels]` for both.
public struct ConvolutionGeometry: Equatable, Sendable {
  /// Images.
  public var batch: Int
  /// Size of a big image.
  public var bigHeight, bigWidth, bigChannels: Int
  /// Size of a small image.
  public var smallHeight, smallWidth, smallChannels: Int
  /// Size of the kernel.
  public var kernelHeight, kernelWidth: Int
  /// Big pixels from one small pixel's patch to the next.
  public var strideHeight, strideWidth: Int
  /// Zeros above and left of the big image.
  public var paddingTop, paddingLeft: Int

  /// Sizes and counts are at least 0, kernel and strides at least 1, paddings at least 0.
  public init(
    batch: Int, bigHeight: Int, bigWidth: Int, bigChannels: Int, smallHeight: Int, smallWidth: Int,
    smallChannels: Int, kernelHeight: Int, kernelWidth: Int, strideHeight: Int, strideWidth: Int,
    paddingTop: Int, paddingLeft: Int
  ) {
    self.batch = batch
    self.bigHeight = bigHeight
    self.bigWidth = bigWidth
    self.bigChannels = bigChannels
    self.smallHeight = smallHeight
    self.smallWidth = smallWidth
    self.smallChannels = smallChannels
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.paddingTop = paddingTop
    self.paddingLeft = paddingLeft
    require(isValid, "convolution: no such geometry: \(self)")
  }

  private var isValid: Bool {
    let sizes = [batch, bigHeight, bigWidth, bigChannels, smallHeight, smallWidth, smallChannels]
    let steps = [kernelHeight, kernelWidth, strideHeight, strideWidth]
    return sizes.allSatisfy { $0 >= 0 } && steps.allSatisfy { $0 >= 1 } && paddingTop >= 0
      && paddingLeft >= 0
  }
}

extension ConvolutionGeometry {
  var bigPixels: Int { bigHeight * bigWidth }
  var smallPixels: Int { smallHeight * smallWidth }
  var bigImage: Int { bigPixels * bigChannels }
  var smallImage: Int { smallPixels * smallChannels }
  /// What one small pixel sees, and what it sees in one kernel row.
  var patch: Int { kernelHeight * patchRow }
  var patchRow: Int { kernelWidth * bigChannels }
  var weights: Int { patch * smallChannels }
  /// Kernel places times small channels: rows of the planar form's matrices.
  var planarRows: Int { kernelHeight * kernelWidth * smallChannels }

  var loops: ck_geometry {
    ck_geometry(
      big_height: bigHeight, big_width: bigWidth, big_channels: bigChannels,
      small_height: smallHeight, small_width: smallWidth, small_channels: smallChannels,
      kernel_height: kernelHeight, kernel_width: kernelWidth, stride_height: strideHeight,
      stride_width: strideWidth, padding_top: paddingTop, padding_left: paddingLeft)
  }
}

extension ConvolutionGeometry {
  /// So few channels that patches are made from a bordered image.
  var isNarrow: Bool { bigChannels <= 4 }

  var hasUnitStride: Bool { strideHeight == 1 && strideWidth == 1 }

  /// Whether the big image is its own matrix of patches.
  var isProduct: Bool {
    let unpadded = paddingTop == 0 && paddingLeft == 0
    let pointwise = kernelHeight == 1 && kernelWidth == 1 && hasUnitStride
    let sameSize = smallHeight == bigHeight && smallWidth == bigWidth
    let covers = kernelHeight == bigHeight && kernelWidth == bigWidth && smallPixels == 1
    return unpadded && (pointwise && sameSize || covers)
  }
}

/// Images that are worked on together, of a number fixed by the geometry.
struct ImageTiles {
  let batch, perTile: Int

  /// Tiles with about `rows` pixels of an image of `pixels`.
  init(batch: Int, pixels: Int, rows: Int) {
    self.batch = batch
    perTile = max(1, rows / max(1, pixels))
  }

  var count: Int { (batch + perTile - 1) / perTile }
  /// Images in the largest tile.
  var largest: Int { min(batch, perTile) }

  subscript(tile: Int) -> Range<Int> { tile * perTile..<min(batch, (tile + 1) * perTile) }
}

extension ConvolutionGeometry {
  /// 512 rows of patches; 1024 where weights are so many that they would be read too often.
  var patchTiles: ImageTiles {
    ImageTiles(batch: batch, pixels: smallPixels, rows: weights >= 1 << 21 ? 1024 : 512)
  }

  /// Pixels in one product of the planar form: OpenBLAS multiplies up to a million terms without
  /// packing.
  var planarBlock: Int { max(64, min(512, 1_000_000 / max(1, planarRows * bigChannels) / 64 * 64)) }

  var planarTiles: ImageTiles { ImageTiles(batch: batch, pixels: bigPixels, rows: 2048) }
}
