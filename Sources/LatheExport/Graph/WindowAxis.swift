import LatheKernels

/// One axis of a convolution as other programs say it: zeros before and after, in place of sizes.
struct WindowAxis {
  let kernel, stride: Int
  /// Zeros before the input; what a transposed convolution crops before its output.
  let before: Int
  /// Zeros behind the input that windows reach.
  let after: Int
  /// What a transposed convolution crops behind its output, of stride · (pixels − 1) + kernel.
  let cropped: Int
  /// Pixels that it has beyond that.
  let added: Int
  /// Pixels of the convolution's input, the transposed one's output.
  let size: Int
  /// Whether the same zeros behind as before give the same convolution.
  let isSymmetric: Bool

  init(rowsOf g: ConvolutionGeometry) {
    self.init(g.inputHeight, g.outputHeight, g.kernelHeight, g.strideHeight, g.paddingTop)
  }

  init(columnsOf g: ConvolutionGeometry) {
    self.init(g.inputWidth, g.outputWidth, g.kernelWidth, g.strideWidth, g.paddingLeft)
  }

  private init(_ input: Int, _ output: Int, _ kernel: Int, _ stride: Int, _ before: Int) {
    (self.kernel, self.stride, self.before, size) = (kernel, stride, before, input)
    let reaching = stride * (output - 1) + kernel
    isSymmetric =
      (input + 2 * before - kernel) / stride + 1 == output && reaching <= input + 2 * before
    let rest = reaching - before - input
    (after, cropped, added) = (max(rest, 0), max(rest, 0), max(-rest, 0))
  }
}

/// The sizes that a reshape names: −1 for the one that depends on the batch.
///
/// - Throws: ``ExportError`` if there are two.
func reshapeSizes(_ shape: [Dimension]) throws(ExportError) -> [Int] {
  guard shape.count(where: { $0.size == nil }) < 2 else {
    throw ExportError("reshape: two axes depend on the batch: \(shape)")
  }
  return shape.map { $0.size ?? -1 }
}
