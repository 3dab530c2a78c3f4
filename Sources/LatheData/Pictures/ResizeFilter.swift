import Glibc
import LatheKernels

/// How pixels are weighted when an image is made smaller or larger.
public enum ResizeFilter: String, Codable, CaseIterable, Hashable, Sendable {
  /// A triangle: linear interpolation, widened by the reduction so that nothing aliases.
  case bilinear
  /// sinc(x) · sinc(x/3) for |x| < 3, widened likewise.
  case lanczos

  /// Where the filter becomes zero, in pixels of the smaller image.
  var support: Double { self == .bilinear ? 1 : 3 }

  func weight(_ x: Double) -> Double {
    guard abs(x) < support else { return 0 }
    return self == .bilinear ? 1 - abs(x) : sinc(x) * sinc(x / 3)
  }

  private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
}

/// A resampled axis with weights as integers in units of 2⁻²².
struct AxisResampler: Sendable {
  /// The absolute weights of an output sum to less than 1.5, so 255 times their sum fits 31 bits.
  static let bits: Int32 = 22
  /// Weights of an output, a fixed number for all; those after `counts[i]` are zero.
  let taps: Int
  let starts: [Int]
  let counts: [Int]
  let weights: [Int32]  // [outputs, taps]

  var outputs: Int { starts.count }

  init(inputs: Int, outputs: Int, filter: ResizeFilter) {
    let axis = ResampledAxis(
      inputs, to: outputs, support: filter.support, filter: filter.weight)
    (taps, starts, counts) = (axis.taps, axis.starts, axis.counts)
    weights = axis.weights.map { Int32(($0 * Double(1 << Self.bits)).rounded()) }
  }
}
