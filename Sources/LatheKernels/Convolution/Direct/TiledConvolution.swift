internal import CKernels

// Convolutions by tiles whose rows are read straight from images with a border of zeros: what an
// output pixel sees in one kernel row is one run of elements there, without im2col.

/// Some output pixels of a layer and the weights that they share.
///
/// A convolution has one pass. A transposed convolution has one for each remainder of the input
/// pixel's coordinates by the strides: its pixels meet the same kernel places, and see the output
/// image as a convolution of stride 1 would.
struct Pass {
  /// Output pixels of one image.
  let rows, columns: Int
  /// The kernel's rows and columns that take part, in the order in which the source is read.
  let kernelRows, kernelColumns: [Int]
  /// The bordered source's pixel that output (0, 0) sees first, and the steps from output to
  /// output.
  let top, left, stepDown, stepRight: Int
  /// Output (0, 0) in the output image, and the steps there.
  let firstRow, firstColumn, outputDown, outputRight: Int

  var pixels: Int { rows * columns }
  var places: Int { kernelRows.count * kernelColumns.count }
}

/// A K block of a pass's contraction: whole kernel places.
struct KBlock {
  let rows, columns: Range<Int>
}

/// A convolution or transposed convolution by tiles.
struct TiledConvolution {
  let geometry: ConvolutionGeometry
  let packing: Packing
  let isTransposed: Bool
  let border: ck_border
  let passes: [Pass]
  /// Of the source and of the output.
  let sourceChannels, channels: Int

  var sourceImage: Int { border.height * border.width * border.channels }
  var packedPixel: Int { packing.length(of: sourceChannels) }
  var borderedLine: Int { border.outer_width * packedPixel }
  var borderedImage: Int { border.outer_height * borderedLine }
  var outputWidth: Int { isTransposed ? geometry.inputWidth : geometry.outputWidth }
  var outputImage: Int { isTransposed ? geometry.inputImage : geometry.outputImage }
  var panels: Int { (channels + panelWidth - 1) / panelWidth }

  init(convolution g: ConvolutionGeometry, packing: Packing) {
    geometry = g
    self.packing = packing
    isTransposed = false
    sourceChannels = g.inputChannels
    channels = g.outputChannels
    border = ck_border(
      height: g.inputHeight, width: g.inputWidth, channels: g.inputChannels, top: g.paddingTop,
      left: g.paddingLeft,
      outer_height: max(
        (g.outputHeight - 1) * g.strideHeight + g.kernelHeight, g.paddingTop + g.inputHeight),
      outer_width: max(
        (g.outputWidth - 1) * g.strideWidth + g.kernelWidth, g.paddingLeft + g.inputWidth))
    passes = [
      Pass(
        rows: g.outputHeight, columns: g.outputWidth, kernelRows: Array(0..<g.kernelHeight),
        kernelColumns: Array(0..<g.kernelWidth), top: 0, left: 0, stepDown: g.strideHeight,
        stepRight: g.strideWidth, firstRow: 0, firstColumn: 0, outputDown: 1, outputRight: 1)
    ]
  }

  init(transposed g: ConvolutionGeometry, packing: Packing) {
    geometry = g
    self.packing = packing
    isTransposed = true
    sourceChannels = g.outputChannels
    channels = g.inputChannels
    let down = Meetings(
      input: g.inputHeight, kernel: g.kernelHeight, stride: g.strideHeight, padding: g.paddingTop)
    let right = Meetings(
      input: g.inputWidth, kernel: g.kernelWidth, stride: g.strideWidth, padding: g.paddingLeft)
    border = ck_border(
      height: g.outputHeight, width: g.outputWidth, channels: g.outputChannels, top: down.border,
      left: right.border, outer_height: down.border + max(g.outputHeight, down.last + 1),
      outer_width: right.border + max(g.outputWidth, right.last + 1))
    passes = (0..<g.strideHeight).flatMap { p in
      (0..<g.strideWidth).map { q in
        Pass(
          rows: down.outputs(p), columns: right.outputs(q), kernelRows: down.places(p),
          kernelColumns: right.places(q), top: down.first(p), left: right.first(q), stepDown: 1,
          stepRight: 1, firstRow: p, firstColumn: q, outputDown: g.strideHeight,
          outputRight: g.strideWidth)
      }
    }
  }
}

/// Which kernel places meet which output pixels along one axis of a transposed convolution.
///
/// Input pixel p meets output pixel i through place p + padding − i · stride.
private struct Meetings {
  let input, kernel, stride, padding: Int

  /// The most output pixels that an input one meets before the last of them.
  var border: Int { (kernel + stride - 1) / stride - 1 }
  /// The last output pixel that any input one could meet.
  var last: Int { max(0, (input - 1 + padding) / stride) }

  /// Input pixels p, p + stride, …
  func outputs(_ p: Int) -> Int { max(0, (input - p + stride - 1) / stride) }

  /// Their kernel places, from the first output pixel to the last.
  func places(_ p: Int) -> [Int] {
    Array(Swift.stride(from: (p + padding) % stride, to: kernel, by: stride).reversed())
  }

  /// The first output pixel that p meets, counted from the border.
  func first(_ p: Int) -> Int { border + (p + padding) / stride - max(0, places(p).count - 1) }
}

// MARK: Chunks and weights

extension TiledConvolution {
  /// Kernel rows together, or parts of one, of about `defaultKBlock` elements.
  func kBlocks(of pass: Pass) -> [KBlock] {
    let (down, across) = (pass.kernelRows.count, pass.kernelColumns.count)
    if pass.places == 0 || across * packedPixel == 0 {
      return [KBlock(rows: 0..<0, columns: 0..<0)]
    }
    let run = across * packedPixel
    let together = run <= defaultKBlock ? defaultKBlock / run : 1
    let parts = (run + defaultKBlock - 1) / defaultKBlock
    let width = (across + parts - 1) / parts
    return stride(from: 0, to: down, by: together).flatMap { row in
      stride(from: 0, to: across, by: width).map { column in
        KBlock(
          rows: row..<min(down, row + together), columns: column..<min(across, column + width))
      }
    }
  }

  /// Floats in a panel of a pass.
  func panelSize(_ pass: Pass) -> Int { pass.places * packedPixel * panelWidth }

  /// The weights of a K block for some panels of output channels, `apart` elements from one to the
  /// next, in the order of the packed source.
  func packWeights(
    _ weights: Floats, _ pass: Pass, _ kBlock: KBlock, panels: Range<Int>, apart: Int,
    to packed: MutableFloats
  ) {
    let g = geometry
    let channel = panels.lowerBound * panelWidth
    let taken = min(panels.count * panelWidth, channels - channel)
    var to = packed
    for row in kBlock.rows {
      for column in kBlock.columns {
        let place = pass.kernelRows[row] * g.kernelWidth + pass.kernelColumns[column]
        let start = weights + place * g.inputChannels * g.outputChannels
        ck_pack_panels(
          packing.flag, start + channel * (isTransposed ? g.outputChannels : 1),
          isTransposed ? 1 : 0, g.outputChannels, sourceChannels, taken, apart, to)
        to += packedPixel * panelWidth
      }
    }
  }
}
