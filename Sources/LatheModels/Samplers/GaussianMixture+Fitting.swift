import Foundation
import LatheKernels
import LatheTensors

// Expectation maximisation. Dempster, Laird and Rubin, "Maximum Likelihood from Incomplete Data via
// the EM Algorithm", 1977.
//
// Goals, in order:
// 1. The numbers of scikit-learn's GaussianMixture from the same start; its defaults except for the
//   rounds.
// 2. The same bits for any number of processes: only sums over shares are exchanged (`CodeShares`).
// 3. Speed: products of matrices do nearly all of the work, two of [codes, m] by [m, m] a component
//   and round.
extension GaussianMixture {
  /// How a mixture is fitted.
  public struct Fitting: Sendable {
    public var components = 10
    /// Added to the diagonals of covariances.
    public var regularization = 1e-6
    /// It ends when the mean log-likelihood of a code changes by less.
    public var tolerance = 1e-3
    public var mostRounds = 2000
    public init() {}
  }

  public static func fitted(to codes: CodeShares, using random: RandomSource) throws
    -> GaussianMixture
  {
    try fitted(to: codes, Fitting(), using: random)
  }

  /// A mixture fitted from the clusters of k-means.
  public static func fitted(to codes: CodeShares, _ fitting: Fitting, using random: RandomSource)
    throws -> GaussianMixture
  {
    guard codes.count >= fitting.components else {
      throw SamplerError.tooFew(codes: codes.count, needed: fitting.components)
    }
    let clusters = try KMeans(codes, count: fitting.components, using: random.derived("k-means"))
    let sums = try codes.sum { share in
      var sums = Sums(components: fitting.components, latentSize: codes.latentSize)
      var responsibilities = [Double](repeating: 0, count: share.count * fitting.components)
      for (row, place) in clusters.nearest(share).enumerated() {
        responsibilities[row * fitting.components + place.centre] = 1
      }
      sums.add(share, responsibilities, around: clusters.centres)
      return sums.values
    }
    let start = try GaussianMixture(
      Sums(sums, components: fitting.components, latentSize: codes.latentSize),
      around: clusters.centres, of: codes.count, fitting)
    return try start.improved(on: codes, fitting).mixture
  }

  /// The mixture after as many rounds as it takes, and the mean log-likelihood of a code before the
  /// last of them, in nats.
  public func improved(on codes: CodeShares, _ fitting: Fitting) throws -> (
    mixture: GaussianMixture, logLikelihood: Double, rounds: Int
  ) {
    var (mixture, before) = (self, -Double.infinity)
    for round in 1...max(1, fitting.mostRounds) {
      let (next, logLikelihood) = try mixture.round(on: codes, fitting)
      mixture = next
      if abs(logLikelihood - before) < fitting.tolerance { return (mixture, logLikelihood, round) }
      before = logLikelihood
    }
    return (mixture, before, fitting.mostRounds)
  }

  /// The mean log-likelihood of a code, in nats.
  public func logLikelihood(of codes: CodeShares) throws -> Double {
    let density = Density(self)
    return try codes.sum { share in
      [density.responsibilities(share).logLikelihood]
    }[0] / Double(codes.count)
  }

  /// E-step and M-step; the log-likelihood is that before the M-step.
  private func round(on codes: CodeShares, _ fitting: Fitting) throws -> (GaussianMixture, Double) {
    let density = Density(self)
    let values = try codes.sum { share in
      let (responsibilities, logLikelihood) = density.responsibilities(share)
      var sums = Sums(components: count, latentSize: latentSize)
      sums.add(share, responsibilities, around: means)
      return sums.values + [logLikelihood]
    }
    let logLikelihood = values.last! / Double(codes.count)
    guard logLikelihood.isFinite else { throw SamplerError.notFinite(.gmm) }
    let sums = Sums(Array(values.dropLast()), components: count, latentSize: latentSize)
    return (try GaussianMixture(sums, around: means, of: codes.count, fitting), logLikelihood)
  }

  /// M-step: π = N / n, μ = s / N, Σ = S / N − (μ − c)(μ − c)ᵀ + ε I, of sums around c.
  private init(_ sums: Sums, around centres: [Double], of n: Int, _ fitting: Fitting) throws {
    let (k, m) = (sums.components, sums.latentSize)
    var (weights, means, covariances) = ([Double](), [Double](), [Double]())
    for component in 0..<k {
      let total = sums.values[component] + 10 * Double.ulpOfOne
      let shift = (0..<m).map { sums.values[k + component * m + $0] / total }
      weights.append(total / Double(n))
      means += (0..<m).map { centres[component * m + $0] + shift[$0] }
      for row in 0..<m {
        let start = k + k * m + (component * m + row) * m
        for column in 0..<m {
          covariances.append(
            sums.values[start + column] / total - shift[row] * shift[column]
              + (row == column ? fitting.regularization : 0))
        }
      }
    }
    let sum = weights.reduce(0, +)
    guard
      let mixture = GaussianMixture(
        weights: weights.map { $0 / sum }, means: means, covariances: covariances)
    else { throw SamplerError.notFinite(.gmm) }
    self = mixture
  }
}

/// What the M-step needs of the codes, around a centre c for each component: Σ r, Σ r (z − c), Σ r
/// (z − c)(z − c)ᵀ.
private struct Sums {
  let components, latentSize: Int
  /// `[components]`, `[components, latentSize]`, `[components, latentSize, latentSize]`, one after
  /// another.
  private(set) var values: [Double]

  init(components: Int, latentSize: Int) {
    self.init(
      [Double](repeating: 0, count: components * (1 + latentSize + latentSize * latentSize)),
      components: components, latentSize: latentSize)
  }

  init(_ values: [Double], components: Int, latentSize: Int) {
    (self.values, self.components, self.latentSize) = (values, components, latentSize)
  }

  /// `responsibilities` are `[codes, components]`.
  mutating func add(
    _ share: CodeShares.Share, _ responsibilities: [Double], around centres: [Double]
  ) {
    let (k, m) = (components, latentSize)
    values.withUnsafeMutableBufferPointer { values in
      let base = values.baseAddress!
      forEachBlock(share, latentSize: m) { first, count, codes in
        var difference = [Double](repeating: 0, count: count * m)
        var weighted = difference
        for component in 0..<k {
          responsibilities.withUnsafeBufferPointer { responsibilities in
            for row in 0..<count {
              let r = responsibilities[(first + row) * k + component]
              base[component] += r
              for axis in 0..<m {
                let value = codes[row * m + axis] - centres[component * m + axis]
                difference[row * m + axis] = value
                weighted[row * m + axis] = r * value
                base[k + component * m + axis] += r * value
              }
            }
          }
          gemm(
            weighted, transposed: true, difference, transposed: false,
            base + k + k * m + component * m * m, m: m, n: m, k: count, accumulate: true)
        }
      }
    }
  }
}

/// A mixture made ready for the densities of many codes.
private struct Density {
  let mixture: GaussianMixture
  /// L⁻¹ of each component, `[components, latentSize, latentSize]`.
  let inverses: [Double]
  /// log π − log |L| − ½ m log 2π of each component.
  let constants: [Double]

  init(_ mixture: GaussianMixture) {
    let m = mixture.latentSize
    self.mixture = mixture
    var (inverses, constants) = ([Double](), [Double]())
    for (component, weight) in mixture.weights.enumerated() {
      let factor = Array(mixture.factors[component * m * m..<(component + 1) * m * m])
      inverses += inverseOfLowerTriangle(factor, size: m)
      let volume = (0..<m).reduce(0) { $0 + log(factor[$1 * (m + 1)]) }
      constants.append(log(weight) - volume - 0.5 * Double(m) * log(2 * Double.pi))
    }
    (self.inverses, self.constants) = (inverses, constants)
  }

  /// The probability of each component given each code, `[codes, components]`, and Σ log p(z) over
  /// the codes.
  func responsibilities(_ share: CodeShares.Share) -> (values: [Double], logLikelihood: Double) {
    let (k, m) = (mixture.count, mixture.latentSize)
    var logs = [Double](repeating: 0, count: share.count * k)
    forEachBlock(share, latentSize: m) { first, count, codes in
      var difference = [Double](repeating: 0, count: count * m)
      var white = difference
      for component in 0..<k {
        for row in 0..<count {
          for axis in 0..<m {
            difference[row * m + axis] =
              codes[row * m + axis] - mixture.means[component * m + axis]
          }
        }
        // ‖L⁻¹ (z − μ)‖² is the Mahalanobis distance.
        inverses.withUnsafeBufferPointer {
          gemm(
            difference, transposed: false, $0.baseAddress! + component * m * m, transposed: true,
            &white, m: count, n: m, k: m, accumulate: false)
        }
        for row in 0..<count {
          var square = 0.0
          for axis in 0..<m { square += white[row * m + axis] * white[row * m + axis] }
          logs[(first + row) * k + component] = constants[component] - 0.5 * square
        }
      }
    }
    return normalized(logs, components: k)
  }

  /// exp(log p − log Σ exp log p) of each row, and the sum of the log-sum-exps.
  private func normalized(_ logs: [Double], components k: Int) -> ([Double], Double) {
    var (values, total) = (logs, 0.0)
    for row in 0..<logs.count / k {
      let own = row * k..<(row + 1) * k
      let largest = own.reduce(-Double.infinity) { max($0, logs[$1]) }
      let sum = largest + log(own.reduce(0) { $0 + exp(logs[$1] - largest) })
      for index in own { values[index] = exp(logs[index] - sum) }
      total += sum
    }
    return (values, total)
  }
}

/// Runs `body(first, count, codes)` for blocks of a share's codes that fit into a cache.
private func forEachBlock(
  _ share: CodeShares.Share, latentSize m: Int, _ body: (Int, Int, UnsafePointer<Double>) -> Void
) {
  share.codes.withUnsafeBufferPointer { codes in
    for first in stride(from: 0, to: share.count, by: 256) {
      body(first, min(256, share.count - first), codes.baseAddress! + first * m)
    }
  }
}
