import Foundation
import LatheFiles

/// How the pixels of a resampled axis are weighted means of the old ones, antialiased.
///
/// Concretely, output i has its centre at c = (i + ½) s, where s = inputs/outputs. With r = max(s,
/// 1), input j takes part with weight f((j + ½ − c)/r) if its centre lies less than r · support
/// away, and the weights of an output sum to 1: those of Pillow's `Image.resize`.
public struct ResampledAxis: Sendable {
  /// The first input of each output, and how many there are.
  public let starts, counts: [Int]
  /// Weights of an output, a fixed number for all; those after `counts[i]` are zero.
  public let taps: Int
  /// `[outputs, taps]`.
  public let weights: [Double]

  /// An axis of `inputs` pixels as one of `outputs`, by a filter that is zero from `support` on.
  public init(
    _ inputs: Int, to outputs: Int, support: Double, filter: (Double) -> Double
  ) {
    require(inputs > 0 && outputs > 0, "resampling: \(inputs) pixels to \(outputs)")
    let scale = Double(inputs) / Double(outputs)
    let reach = max(scale, 1)
    var rows: [(start: Int, weights: [Double])] = []
    for output in 0..<outputs {
      let centre = (Double(output) + 0.5) * scale
      let start = max(Int(centre - support * reach + 0.5), 0)
      let end = min(Int(centre + support * reach + 0.5), inputs)
      let row = (start..<end).map { filter((Double($0) + 0.5 - centre) / reach) }
      let sum = row.reduce(0, +)
      rows.append((start, row.map { $0 / sum }))
    }
    let taps = rows.reduce(1) { max($0, $1.weights.count) }
    (starts, counts, self.taps) = (rows.map(\.start), rows.map(\.weights.count), taps)
    weights = rows.flatMap { $0.weights + [Double](repeating: 0, count: taps - $0.weights.count) }
  }

  /// By cubic convolution with a = −½: Keys, "Cubic Convolution Interpolation for Digital Image
  /// Processing", 1981.
  public static func bicubic(_ inputs: Int, to outputs: Int) -> ResampledAxis {
    ResampledAxis(inputs, to: outputs, support: 2) { place in
      let (x, a) = (abs(place), -0.5)
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
  }

  /// Pixels of the resampled axis.
  public var count: Int { starts.count }
}

/// y = x with its middle axis resampled; sums are in double precision.
///
/// Shapes: x `[outer, inputs, inner]`, y `[outer, axis.count, inner]`.
public func resample(
  _ x: Floats, outer: Int, inputs: Int, inner: Int, axis: ResampledAxis, _ y: MutableFloats
) {
  forEachRows(outer * axis.count, of: inner) { range in
    for row in range {
      let (block, output) = row.quotientAndRemainder(dividingBy: axis.count)
      let source = x + (block * inputs + axis.starts[output]) * inner
      let target = y + row * inner
      axis.weights.withUnsafeBufferPointer { weights in
        let own = weights.baseAddress! + output * axis.taps
        for place in 0..<inner {
          var sum = 0.0
          for tap in 0..<axis.counts[output] {
            sum += own[tap] * Double(source[tap * inner + place])
          }
          target[place] = Float(sum)
        }
      }
    }
  }
}
