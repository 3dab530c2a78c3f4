import LatheData
import LatheKernels

/// Kernel distance (KID): the squared maximum mean discrepancy of two sets of features, averaged
/// over subsets.
///
/// Bińkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018, Section 4. The kernel
/// is (x·y/d + 1)³; the estimate of each subset is unbiased, so it can be below zero.
public struct KernelDistance: Sendable {
  /// Pairs of subsets.
  public var subsets = 100
  /// Samples in a subset; at most as many as the smaller set has.
  public var subsetSize = 1000
  /// Decides which samples are drawn.
  public var seed: UInt64 = 0

  /// Mean and population standard deviation over subsets.
  public struct Result: Sendable, Equatable {
    /// The score.
    public let mean: Double
    /// Its spread over subsets.
    public let standardDeviation: Double
    /// Samples that were drawn for each subset.
    public let subsetSize: Int
  }

  /// 100 subsets of 1,000, unless told otherwise.
  public init(subsets: Int = 100, subsetSize: Int = 1000, seed: UInt64 = 0) {
    (self.subsets, self.subsetSize, self.seed) = (subsets, subsetSize, seed)
  }

  /// The score of two sets.
  ///
  /// - Throws: `ScoreError`: dimensions that differ, fewer than 2 samples, features that are not
  ///   finite.
  public func callAsFunction(_ one: Features, _ other: Features) throws(ScoreError) -> Result {
    let size = min(subsetSize, one.count, other.count)
    var draws = Draws(CounterRandom(seed: seed))
    var scores: [Double] = []
    for _ in 0..<max(1, subsets) {
      let left = one[rows: draws.distinct(max(0, size), below: one.count)]
      let right = other[rows: draws.distinct(max(0, size), below: other.count)]
      scores.append(try Self.mmd(left, right))
    }
    let mean = scores.reduce(0, +) / Double(scores.count)
    let variance =
      scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count)
    return Result(mean: mean, standardDeviation: variance.squareRoot(), subsetSize: size)
  }

  /// The unbiased estimate from all samples of both sets: the mean kernel within each, without the
  /// diagonal, less twice the mean kernel between them.
  ///
  /// - Throws: `ScoreError`: dimensions that differ, fewer than 2 samples, features that are not
  ///   finite.
  public static func mmd(_ one: Features, _ other: Features) throws(ScoreError) -> Double {
    try checkDimensions(one, other)
    for set in [one, other] where set.count < 2 {
      throw .tooFew("samples for a kernel distance", needed: 2, found: set.count)
    }
    let within = [one, other].reduce(0) { sum, set in
      sum + sumOfKernels(set, set, withoutDiagonal: true) / Double(set.count * (set.count - 1))
    }
    let between = sumOfKernels(one, other, withoutDiagonal: false) / Double(one.count * other.count)
    let value = within - 2 * between
    if !value.isFinite { throw .notFinite("features") }
    return value
  }

  /// Rows of products that are in memory at once.
  private static let block = 256

  private static func sumOfKernels(
    _ one: Features, _ other: Features, withoutDiagonal: Bool
  ) -> Double {
    let scale = 1 / Double(one.dimensions)
    var products = [Float](repeating: 0, count: min(block, one.count) * other.count)
    var sum = 0.0
    for first in stride(from: 0, to: one.count, by: block) {
      let rows = min(block, one.count - first)
      multiply(one, first..<first + rows, other, into: &products)
      products.withUnsafeBufferPointer { products in
        for row in 0..<rows {
          for column in 0..<other.count where !withoutDiagonal || column != first + row {
            let base = Double(products[row * other.count + column]) * scale + 1
            sum += base * base * base
          }
        }
      }
    }
    return sum
  }

  private static func multiply(
    _ one: Features, _ rows: Range<Int>, _ other: Features, into products: inout [Float]
  ) {
    let k = one.dimensions
    one.values.withUnsafeBufferPointer { left in
      other.values.withUnsafeBufferPointer { right in
        products.withUnsafeMutableBufferPointer { product in
          gemm(
            left.baseAddress! + rows.lowerBound * k, transposed: false, right.baseAddress!,
            transposed: true, product.baseAddress!, m: rows.count, n: other.count, k: k,
            accumulate: false)
        }
      }
    }
  }
}
