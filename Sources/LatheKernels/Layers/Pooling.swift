import LatheFiles
internal import CKernels

/// Square windows over images, NHWC: output (i, j) sees rows `i * stride - padding` and on, columns
/// likewise.
///
/// What of a window lies outside the image is left out, and every window has a part inside.
public struct PoolingGeometry: Equatable, Sendable {
  /// Images.
  public var batch: Int
  /// Size of an image.
  public var height, width, channels: Int
  /// Side of the window, steps from one to the next, and rows above the image where the first
  /// begins.
  public var kernel, stride, padding: Int

  /// `kernel` and `stride` at least 1, `padding` below `kernel`; the image with its padding holds a
  /// window.
  public init(
    batch: Int, height: Int, width: Int, channels: Int, kernel: Int, stride: Int, padding: Int
  ) {
    require(
      kernel >= 1 && stride >= 1 && padding >= 0 && 2 * padding <= kernel
        && min(height, width) + 2 * padding >= kernel && min(height, width) >= 1,
      "pooling: no windows of \(kernel) every \(stride) over \(height) × \(width) + \(padding)")
    self.batch = batch
    self.height = height
    self.width = width
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// Size of the output.
  public var outputHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
  public var outputWidth: Int { (width + 2 * padding - kernel) / stride + 1 }

  fileprivate var window: ck_window {
    ck_window(
      height: height, width: width, channels: channels, out_height: outputHeight,
      out_width: outputWidth, kernel: kernel, stride: stride, padding: padding)
  }
}

/// y = the largest value of each window, channel by channel.
public func maxPool(_ x: Floats, _ y: MutableFloats, _ g: PoolingGeometry) {
  var window = g.window
  forEachRows(g.batch * g.outputHeight, of: g.outputWidth * g.channels) {
    ck_max_pool(x, &window, $0.lowerBound, $0.count, y)
  }
}

/// y = the mean of each window's pixels inside the image, channel by channel.
public func averagePool(_ x: Floats, _ y: MutableFloats, _ g: PoolingGeometry) {
  var window = g.window
  forEachRows(g.batch * g.outputHeight, of: g.outputWidth * g.channels) {
    ck_average_pool(x, &window, $0.lowerBound, $0.count, y)
  }
}
