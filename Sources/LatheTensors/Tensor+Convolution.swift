import LatheFiles
import LatheKernels

// A convolution maps a big image to a small one; a transposed convolution is its adjoint. Both, and
// the gradient of their weights, are bilinear, and each one's gradients are the other two:
//
//   small = shrink(big, w)     big = grow(small, w)     w = correlate(big, small)
//
// Weights are [height, width, channels of big, channels of small] throughout.

/// Zeros around the big image of a convolution.
public enum Padding: Hashable, Sendable {
  /// TensorFlow's SAME: small = ⌈big / stride⌉, the odd zero at the bottom and right.
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
  let rows = Extent(big: x[1], kernel: w[0], stride: stride, padding: padding.rows)
  let columns = Extent(big: x[2], kernel: w[1], stride: stride, padding: padding.columns)
  return shrink(images, weight, geometry(x[0], rows, columns, w), Products.precision)
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
    small: x[1], kernel: w[0], stride: stride, padding: padding.rows, extra: outputPadding)
  let columns = Extent(
    small: x[2], kernel: w[1], stride: stride, padding: padding.columns, extra: outputPadding)
  return grow(images, weight, geometry(x[0], rows, columns, w), Products.precision)
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
  let big, small, before, stride: Int

  init(big: Int, kernel: Int, stride: Int, padding: (Int, Int)?) {
    self.big = big
    self.stride = stride
    if let (before, after) = padding {
      require(
        big + before + after >= kernel,
        "convolution: kernel \(kernel) over \(big) + \(before) + \(after)")
      small = (big + before + after - kernel) / stride + 1
      self.before = before
    } else {
      small = (big + stride - 1) / stride
      before = Extent.samePadding(big: big, small: small, kernel: kernel, stride: stride)
    }
  }

  init(small: Int, kernel: Int, stride: Int, padding: (Int, Int)?, extra: Int) {
    self.small = small
    self.stride = stride
    if let (before, after) = padding {
      big = stride * (small - 1) + kernel - before - after + extra
      self.before = before
    } else {
      big = stride * small
      before = Extent.samePadding(big: big, small: small, kernel: kernel, stride: stride)
    }
    require(big > 0, "transposedConvolution: nothing is left of \(small) pixels")
  }

  static func samePadding(big: Int, small: Int, kernel: Int, stride: Int) -> Int {
    max((small - 1) * stride + kernel - big, 0) / 2
  }
}

private func geometry(_ batch: Int, _ rows: Extent, _ columns: Extent, _ weight: Shape)
  -> ConvolutionGeometry
{
  ConvolutionGeometry(
    batch: batch, bigHeight: rows.big, bigWidth: columns.big, bigChannels: weight[2],
    smallHeight: rows.small, smallWidth: columns.small, smallChannels: weight[3],
    kernelHeight: weight[0], kernelWidth: weight[1], strideHeight: rows.stride,
    strideWidth: columns.stride, paddingTop: rows.before, paddingLeft: columns.before)
}

extension ConvolutionGeometry {
  fileprivate var bigShape: Shape { [batch, bigHeight, bigWidth, bigChannels] }
  fileprivate var smallShape: Shape { [batch, smallHeight, smallWidth, smallChannels] }
  /// Floating-point operations of each of the three maps.
  fileprivate var operations: Int {
    2 * smallShape.count * kernelHeight * kernelWidth * bigChannels
  }
  fileprivate var weightShape: Shape { [kernelHeight, kernelWidth, bigChannels, smallChannels] }
}

private func shrink(
  _ big: Tensor, _ weight: Tensor, _ g: ConvolutionGeometry, _ precision: Precision
) -> Tensor {
  let storage = Storage(count: g.smallShape.count)
  Profile.measure(.shrink, operations: g.operations) {
    LatheKernels.convolve(big.pointer, weight.pointer, storage.pointer, g, precision: precision)
  }
  return record(storage, g.smallShape, from: [big, weight]) { pull in
    [
      pull(0) { grow(pull.gradient, weight, g, precision) },
      pull(1) { correlate(big, pull.gradient, g, precision) { pull.target(1, count: $0) } },
    ]
  }
}

private func grow(
  _ small: Tensor, _ weight: Tensor, _ g: ConvolutionGeometry, _ precision: Precision
) -> Tensor {
  let storage = Storage(count: g.bigShape.count)
  Profile.measure(.grow, operations: g.operations) {
    LatheKernels.convolveTransposed(
      small.pointer, weight.pointer, storage.pointer, g, precision: precision)
  }
  return record(storage, g.bigShape, from: [small, weight]) { pull in
    [
      pull(0) { shrink(pull.gradient, weight, g, precision) },
      pull(1) { correlate(pull.gradient, small, g, precision) { pull.target(1, count: $0) } },
    ]
  }
}

private func correlate(
  _ big: Tensor, _ small: Tensor, _ g: ConvolutionGeometry, _ precision: Precision,
  into target: (Int) -> GradientTarget
) -> Tensor {
  let target = target(g.weightShape.count)
  let storage = target.storage
  Profile.measure(.correlate, operations: g.operations) {
    LatheKernels.convolutionWeightGradient(
      big.pointer, small.pointer, storage.pointer, g, accumulate: target.adds, precision: precision)
  }
  return record(storage, g.weightShape, from: [big, small]) { pull in
    [
      pull(0) { grow(small, pull.gradient, g, precision) },
      pull(1) { shrink(big, pull.gradient, g, precision) },
    ]
  }
}
