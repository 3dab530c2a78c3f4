import Glibc
import LatheKernels

/// pᵢⱼ of t-SNE: how close samples are, as one distribution over pairs.
///
/// van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008, Section 2 and Eq. 1: a
/// Gaussian around each sample, as wide as makes the perplexity of its neighbours the one asked
/// for; then both directions joined.
package struct Affinities: Sendable {
  package let count: Int
  /// Floats from one row to the next: `count` rounded up to whole lanes, what is beyond being 0.
  let stride: Int
  /// `[count, stride]`; all of them add up to 1.
  let values: [Float]

  package init(_ features: Features, perplexity: Double) {
    let n = features.count
    var rows = [Double](repeating: 0, count: n * n)
    PairwiseDistances(features, features).forEachRow { row, distances in
      let weights = conditional(distances, of: row, perplexity: perplexity)
      rows.replaceSubrange(row * n..<(row + 1) * n, with: weights)
    }
    count = n
    stride = studentStride(n)
    values = Self.joined(rows, count: n, stride: stride)
  }

  package subscript(row: Int, column: Int) -> Float { values[row * stride + column] }

  /// (pⱼ|ᵢ + pᵢ|ⱼ)/2n, not below the smallest step from 1.
  private static func joined(_ rows: [Double], count n: Int, stride: Int) -> [Float] {
    var joined = [Float](repeating: 0, count: n * stride)
    rows.withUnsafeBufferPointer { rows in
      joined.withUnsafeMutableBufferPointer { joined in
        for i in 0..<n {
          for j in 0..<n where i != j {
            let both = (rows[i * n + j] + rows[j * n + i]) / Double(2 * n)
            joined[i * stride + j] = Float(max(both, Double.ulpOfOne))
          }
        }
      }
    }
    return joined
  }
}

/// pⱼ|ᵢ for one i: the precision of the Gaussian by bisection, from 1 on, until the entropy is
/// within 10⁻⁵.
private func conditional(
  _ distances: UnsafeBufferPointer<Double>, of row: Int, perplexity: Double
) -> [Double] {
  var precision = 1.0
  var (low, high) = (0.0, Double.infinity)
  var weights = [Double](repeating: 0, count: distances.count)
  let nearest = distances.indices.reduce(Double.infinity) {
    $1 == row ? $0 : min($0, distances[$1])
  }
  for _ in 0..<100 {
    let entropy = weigh(distances, row, nearest, precision, &weights)
    let excess = entropy - log(perplexity)
    if abs(excess) <= 1e-5 { break }
    if excess > 0 { low = precision } else { high = precision }
    precision = high == .infinity ? 2 * precision : (low + high) / 2
  }
  return weights
}

/// Fills in the weights for a precision; returns their entropy in nats.
private func weigh(
  _ distances: UnsafeBufferPointer<Double>, _ row: Int, _ nearest: Double, _ precision: Double,
  _ weights: inout [Double]
) -> Double {
  weights.withUnsafeMutableBufferPointer { weights in
    var (sum, mean) = (0.0, 0.0)
    for i in distances.indices where i != row {
      let excess = distances[i] - nearest  // the nearest one has weight 1, so the sum is never 0
      weights[i] = exp(-excess * precision)
      sum += weights[i]
      mean += weights[i] * excess
    }
    for i in weights.indices { weights[i] /= sum }
    return log(sum) + precision * mean / sum
  }
}
