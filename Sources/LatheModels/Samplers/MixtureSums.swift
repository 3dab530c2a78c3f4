import Foundation
import LatheKernels

// What expectation maximisation and variational inference of mixtures share.

/// What the M-step needs of the codes, around a centre c for each component: Σ r, Σ r (z − c), Σ r
/// (z − c)(z − c)ᵀ.
struct MixtureSums {
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

/// What the sums say of each component: N, s / N and S / N − (s / N)(s / N)ᵀ + ε I, seen from the
/// origin.
struct MixtureMoments {
  let components, latentSize: Int
  /// Σ r, and a little, `[components]`.
  private(set) var counts: [Double] = []
  /// `[components, latentSize]`.
  private(set) var means: [Double] = []
  /// `[components, latentSize, latentSize]`.
  private(set) var covariances: [Double] = []

  /// Of sums around `centres`; `regularization` is added to the diagonals.
  init(_ sums: MixtureSums, around centres: [Double], regularization: Double) {
    let (k, m) = (sums.components, sums.latentSize)
    (components, latentSize) = (k, m)
    for component in 0..<k {
      let total = sums.values[component] + 10 * Double.ulpOfOne
      let shift = (0..<m).map { sums.values[k + component * m + $0] / total }
      counts.append(total)
      means += (0..<m).map { centres[component * m + $0] + shift[$0] }
      for row in 0..<m {
        let start = k + k * m + (component * m + row) * m
        for column in 0..<m {
          covariances.append(
            sums.values[start + column] / total - shift[row] * shift[column]
              + (row == column ? regularization : 0))
        }
      }
    }
  }
}

extension KMeans {
  /// Each cluster's moments: every code belongs to its nearest centre.
  func moments(regularization: Double) throws -> MixtureMoments {
    let (k, m) = (centres.count / codes.latentSize, codes.latentSize)
    let sums = try codes.sum { share in
      var sums = MixtureSums(components: k, latentSize: m)
      var responsibilities = [Double](repeating: 0, count: share.count * k)
      for (row, place) in nearest(share).enumerated() {
        responsibilities[row * k + place.centre] = 1
      }
      sums.add(share, responsibilities, around: centres)
      return sums.values
    }
    return MixtureMoments(
      MixtureSums(sums, components: k, latentSize: m), around: centres,
      regularization: regularization)
  }
}

/// A mixture made ready for the densities of many codes.
struct MixtureDensity {
  private let mixture: GaussianMixture
  /// L⁻¹ of each component, `[components, latentSize, latentSize]`.
  private let inverses: [Double]
  /// log π − log |L| − ½ m log 2π of each component.
  private let constants: [Double]

  init(_ mixture: GaussianMixture) {
    self.init(mixture, logWeights: mixture.weights.map { log($0) })
  }

  /// With other numbers for log π, `[components]`.
  init(_ mixture: GaussianMixture, logWeights: [Double]) {
    let m = mixture.latentSize
    self.mixture = mixture
    var (inverses, constants) = ([Double](), [Double]())
    for (component, logWeight) in logWeights.enumerated() {
      let factor = Array(mixture.factors[component * m * m..<(component + 1) * m * m])
      inverses += inverseOfLowerTriangle(factor, size: m)
      constants.append(
        logWeight - mixture.logVolume(of: component) - 0.5 * Double(m) * log(2 * Double.pi))
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
