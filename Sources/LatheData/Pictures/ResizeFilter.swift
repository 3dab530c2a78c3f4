import Glibc

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

/// Resizes one axis: each output is a weighted mean of neighbouring inputs.
///
/// Concretely, output i has its centre at c = (i + ½) s, where s = inputs/outputs. With r = max(s,
/// 1), input j takes part with weight f((j + ½ − c)/r) if its centre lies less than r · support
/// away, and the weights of an output sum to 1. They are kept as integers in units of 2⁻²².
struct AxisResampler: Sendable {
  /// The absolute weights of an output sum to less than 1.5, so 255 times their sum fits 31 bits.
  static let bits: Int32 = 22
  let outputs: Int
  /// Weights of an output, a fixed number for all; those after `counts[i]` are zero.
  let taps: Int
  let starts: [Int]
  let counts: [Int]
  let weights: [Int32]  // [outputs, taps]

  init(inputs: Int, outputs: Int, filter: ResizeFilter) {
    let scale = Double(inputs) / Double(outputs)
    let reach = max(scale, 1)
    let support = filter.support * reach
    var rows: [(start: Int, weights: [Double])] = []
    for output in 0..<outputs {
      let centre = (Double(output) + 0.5) * scale
      let start = max(Int(centre - support + 0.5), 0)
      let end = min(Int(centre + support + 0.5), inputs)
      let row = (start..<end).map { filter.weight((Double($0) + 0.5 - centre) / reach) }
      let sum = row.reduce(0, +)
      rows.append((start, row.map { $0 / sum }))
    }
    let taps = rows.reduce(1) { max($0, $1.weights.count) }
    self.outputs = outputs
    self.taps = taps
    starts = rows.map(\.start)
    counts = rows.map(\.weights.count)
    weights = rows.flatMap { row in
      row.weights.map { Int32(($0 * Double(1 << Self.bits)).rounded()) }
        + [Int32](repeating: 0, count: taps - row.weights.count)
    }
  }
}
