import LatheFiles
import LatheKernels

// A convolution maps an input image to an output one; a transposed convolution is its adjoint.
// Both, and the gradient of their weights, are bilinear, and each one's gradients are the other
// two:
//
//   output = conv2d(input, w)    input = convTranspose2d(output, w)
//   w = conv2dWeightGradient(input, output)
//
// Weights are [height, width, channels of input, channels of output] throughout.

/// Zeros around the input image of a convolution.
public enum Padding: Hashable, Sendable {
  /// TensorFlow's SAME: output = ⌈input / stride⌉, the odd zero at the bottom and right.
  case same
  /// Rows and columns of zeros.
  case explicit(top: Int, bottom: Int, left: Int, right: Int)

  /// The same number of zeros on every side.
  public static func explicit(_ size: Int) -> Padding {
    .explicit(top: size, bottom: size, left: size, right: size)
  }
  /// No zeros.
  public static let valid = Padding.explicit(0)
}

/// Convolution (cross-correlation, as the field has it) of images, without bias.
///
/// Shapes: `[N, H, W, C]`, `[h, w, C, O]` → `[N, H′, W′, O]` with H′ = ⌈H / stride⌉ for SAME
/// padding, ⌊(H + top + bottom − h) / stride⌋ + 1 for explicit.
public func convolution(
  _ images: Tensor, _ weight: Tensor, stride: Int = 1, padding: Padding = .same
) -> Tensor {
  let (x, w) = (images.shape, weight.shape)
  require(
    x.rank == 4 && w.rank == 4 && x[3] == w[2],
    "convolution: images \(x), weight \(w): [N, H, W, C] and [h, w, C, O] expected")
  let rows = Extent(input: x[1], kernel: w[0], stride: stride, padding: padding.rows)
  let columns = Extent(input: x[2], kernel: w[1], stride: stride, padding: padding.columns)
  return conv2d(images, weight, geometry(x[0], rows, columns, w), Matmul.precision)
}

/// Transposed convolution: the adjoint of ``convolution(_:_:stride:padding:)``, without bias.
///
/// Shapes: `[N, H, W, I]`, `[h, w, O, I]` → `[N, H′, W′, O]` with H′ = stride · H for SAME padding,
/// stride · (H − 1) + h − top − bottom + `outputPadding` for explicit.
public func transposedConvolution(
  _ images: Tensor, _ weight: Tensor, stride: Int = 1, padding: Padding = .same,
  outputPadding: Int = 0
) -> Tensor {
  let (x, w) = (images.shape, weight.shape)
  require(
    x.rank == 4 && w.rank == 4 && x[3] == w[3],
    "transposedConvolution: images \(x), weight \(w): [N, H, W, I] and [h, w, O, I] expected")
  let rows = Extent(
    output: x[1], kernel: w[0], stride: stride, padding: padding.rows, extra: outputPadding)
  let columns = Extent(
    output: x[2], kernel: w[1], stride: stride, padding: padding.columns, extra: outputPadding)
  return convTranspose2d(images, weight, geometry(x[0], rows, columns, w), Matmul.precision)
}

extension Padding {
  /// Zeros above and below, nil for SAME.
  fileprivate var rows: (Int, Int)? {
    if case .explicit(let top, let bottom, _, _) = self { (top, bottom) } else { nil }
  }
  fileprivate var columns: (Int, Int)? {
    if case .explicit(_, _, let left, let right) = self { (left, right) } else { nil }
  }
}

/// One axis of a convolution.
private struct Extent {
  let input, output, before, stride: Int

  init(input: Int, kernel: Int, stride: Int, padding: (Int, Int)?) {
    self.input = input
    self.stride = stride
    if let (before, after) = padding {
      require(
        input + before + after >= kernel,
        "convolution: kernel \(kernel) over \(input) + \(before) + \(after)")
      output = (input + before + after - kernel) / stride + 1
      self.before = before
    } else {
      output = (input + stride - 1) / stride
      before = Extent.samePadding(input: input, output: output, kernel: kernel, stride: stride)
    }
  }

  init(output: Int, kernel: Int, stride: Int, padding: (Int, Int)?, extra: Int) {
    self.output = output
    self.stride = stride
    if let (before, after) = padding {
      input = stride * (output - 1) + kernel - before - after + extra
      self.before = before
    } else {
      input = stride * output
      before = Extent.samePadding(input: input, output: output, kernel: kernel, stride: stride)
    }
    require(input > 0, "transposedConvolution: nothing is left of \(output) pixels")
  }

  static func samePadding(input: Int, output: Int, kernel: Int, stride: Int) -> Int {
    max((output - 1) * stride + kernel - input, 0) / 2
  }
}

private func geometry(_ batch: Int, _ rows: Extent, _ columns: Extent, _ weight: Shape)
  -> ConvolutionGeometry
{
  ConvolutionGeometry(
    batch: batch, inputHeight: rows.input, inputWidth: columns.input, inputChannels: weight[2],
    outputHeight: rows.output, outputWidth: columns.output, outputChannels: weight[3],
    kernelHeight: weight[0], kernelWidth: weight[1], strideHeight: rows.stride,
    strideWidth: columns.stride, paddingTop: rows.before, paddingLeft: columns.before)
}

extension ConvolutionGeometry {
  fileprivate var inputShape: Shape { [batch, inputHeight, inputWidth, inputChannels] }
  fileprivate var outputShape: Shape { [batch, outputHeight, outputWidth, outputChannels] }
  /// Floating-point operations of each of the three maps.
  fileprivate var operations: Int {
    2 * outputShape.count * kernelHeight * kernelWidth * inputChannels
  }
  fileprivate var weightShape: Shape { [kernelHeight, kernelWidth, inputChannels, outputChannels] }
}

private func conv2d(
  _ input: Tensor, _ weight: Tensor, _ g: ConvolutionGeometry, _ precision: Precision,
  into target: Storage? = nil
) -> Tensor {
  let storage = target ?? Storage(count: g.outputShape.count)
  Profile.measure(.conv2d, operations: g.operations) {
    LatheKernels.conv2d(input.pointer, weight.pointer, storage.pointer, g, precision: precision)
  }
  let kept = KeptOperand(input)
  return record(storage, g.outputShape, .conv2d(g), from: [input, weight]) { pull in
    let dWeight = pull(1) {
      conv2dWeightGradient(kept.tensor, pull.gradient, g, precision) { pull.target(1, count: $0) }
    }
    return [
      pull(0) {
        convTranspose2d(
          pull.gradient, weight, g, precision, into: pull.storage(replacing: kept))
      }, dWeight,
    ]
  }
}

private func convTranspose2d(
  _ output: Tensor, _ weight: Tensor, _ g: ConvolutionGeometry, _ precision: Precision,
  into target: Storage? = nil
) -> Tensor {
  let storage = target ?? Storage(count: g.inputShape.count)
  Profile.measure(.convTranspose2d, operations: g.operations) {
    LatheKernels.convTranspose2d(
      output.pointer, weight.pointer, storage.pointer, g, precision: precision)
  }
  let kept = KeptOperand(output)
  return record(storage, g.inputShape, .convTranspose2d(g), from: [output, weight]) { pull in
    let dWeight = pull(1) {
      conv2dWeightGradient(pull.gradient, kept.tensor, g, precision) { pull.target(1, count: $0) }
    }
    return [
      pull(0) {
        conv2d(pull.gradient, weight, g, precision, into: pull.storage(replacing: kept))
      }, dWeight,
    ]
  }
}

private func conv2dWeightGradient(
  _ input: Tensor, _ output: Tensor, _ g: ConvolutionGeometry, _ precision: Precision,
  into target: (Int) -> GradientTarget
) -> Tensor {
  let target = target(g.weightShape.count)
  let storage = target.storage
  Profile.measure(.conv2dWeightGradient, operations: g.operations) {
    LatheKernels.conv2dWeightGradient(
      input.pointer, output.pointer, storage.pointer, g, accumulate: target.adds,
      precision: precision)
  }
  return record(
    storage, g.weightShape, .other("conv2dWeightGradient"), from: [input, output]
  ) { pull in
    [
      pull(0) { convTranspose2d(output, pull.gradient, g, precision) },
      pull(1) { conv2d(input, pull.gradient, g, precision) },
    ]
  }
}
