import LatheFiles
internal import CKernels

/// A convolution from an input image to an output image, NHWC.
///
/// Output pixel (i, j) sees the input rows `i * strideHeight - paddingTop + a`, a = 0 ..<
/// kernelHeight, and columns likewise; what lies outside is zero. The padding below and on the
/// right follows from the sizes. "Input" and "output" are those of conv2d; a transposed
/// convolution goes from the output to the input. Weights are `[kernelHeight, kernelWidth,
/// inputChannels, outputChannels]` for both.
public struct ConvolutionGeometry: Equatable, Sendable {
  /// Images.
  public var batch: Int
  /// Size of an input image.
  public var inputHeight, inputWidth, inputChannels: Int
  /// Size of an output image.
  public var outputHeight, outputWidth, outputChannels: Int
  /// Size of the kernel.
  public var kernelHeight, kernelWidth: Int
  /// Input pixels from one output pixel's receptive field to the next.
  public var strideHeight, strideWidth: Int
  /// Zeros above and left of the input image.
  public var paddingTop, paddingLeft: Int

  /// Sizes and counts are at least 0, kernel and strides at least 1, paddings at least 0.
  public init(
    batch: Int, inputHeight: Int, inputWidth: Int, inputChannels: Int, outputHeight: Int,
    outputWidth: Int,
    outputChannels: Int, kernelHeight: Int, kernelWidth: Int, strideHeight: Int, strideWidth: Int,
    paddingTop: Int, paddingLeft: Int
  ) {
    self.batch = batch
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.inputChannels = inputChannels
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    self.outputChannels = outputChannels
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.paddingTop = paddingTop
    self.paddingLeft = paddingLeft
    require(isValid, "convolution: no such geometry: \(self)")
  }

  private var isValid: Bool {
    let sizes = [
      batch, inputHeight, inputWidth, inputChannels, outputHeight, outputWidth, outputChannels,
    ]
    let steps = [kernelHeight, kernelWidth, strideHeight, strideWidth]
    return sizes.allSatisfy { $0 >= 0 } && steps.allSatisfy { $0 >= 1 } && paddingTop >= 0
      && paddingLeft >= 0
  }
}

extension ConvolutionGeometry {
  var inputPixels: Int { inputHeight * inputWidth }
  var outputPixels: Int { outputHeight * outputWidth }
  var inputImage: Int { inputPixels * inputChannels }
  var outputImage: Int { outputPixels * outputChannels }
  /// What one output pixel sees, and what it sees in one kernel row.
  var receptiveField: Int { kernelHeight * receptiveFieldRow }
  var receptiveFieldRow: Int { kernelWidth * inputChannels }
  var weights: Int { receptiveField * outputChannels }
  /// Kernel places times output channels: rows of the planar form's matrices.
  var planarRows: Int { kernelHeight * kernelWidth * outputChannels }

  var loops: ck_geometry {
    ck_geometry(
      input_height: inputHeight, input_width: inputWidth, input_channels: inputChannels,
      output_height: outputHeight, output_width: outputWidth, output_channels: outputChannels,
      kernel_height: kernelHeight, kernel_width: kernelWidth, stride_height: strideHeight,
      stride_width: strideWidth, padding_top: paddingTop, padding_left: paddingLeft)
  }
}

extension ConvolutionGeometry {
  /// So few channels that im2col reads a bordered image.
  var isNarrow: Bool { inputChannels <= 4 }

  var hasUnitStride: Bool { strideHeight == 1 && strideWidth == 1 }

  /// Whether the input image is its own im2col matrix.
  var isGEMM: Bool {
    let unpadded = paddingTop == 0 && paddingLeft == 0
    let pointwise = kernelHeight == 1 && kernelWidth == 1 && hasUnitStride
    let sameSize = outputHeight == inputHeight && outputWidth == inputWidth
    let covers = kernelHeight == inputHeight && kernelWidth == inputWidth && outputPixels == 1
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
  /// 512 rows of the im2col matrix; 1024 where weights are so many that they would be read too
  /// often.
  var im2colTiles: ImageTiles {
    ImageTiles(batch: batch, pixels: outputPixels, rows: weights >= 1 << 21 ? 1024 : 512)
  }

  /// Pixels in one product of the planar form: OpenBLAS multiplies up to a million terms without
  /// packing.
  var planarBlock: Int {
    max(64, min(512, 1_000_000 / max(1, planarRows * inputChannels) / 64 * 64))
  }

  var planarTiles: ImageTiles { ImageTiles(batch: batch, pixels: inputPixels, rows: 2048) }
}
