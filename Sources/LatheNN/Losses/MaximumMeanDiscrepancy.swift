import LatheFiles
import LatheTensors

/// Kernels that compare samples of two distributions.
public enum MMDKernel: String, SettingChoice {
  /// Inverse multiquadratics at seven scales, Σ_s C / (C + d²) with C = 2 s m σ², s from 0.1 to 10.
  ///
  /// Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, Section 4, with the scales of the
  /// released code.
  case inverseMultiquadratic = "imq"
  /// exp(−d² / (2 m σ²)).
  case radialBasis = "rbf"

  public static let synonyms: [String: MMDKernel] = [
    "inverse-multiquadratic": .inverseMultiquadratic, "gaussian": .radialBasis,
  ]

  static let scales: [Float] = [0.1, 0.2, 0.5, 1, 2, 5, 10]

  /// Values at squared distances d² between points of `size` coordinates.
  func callAsFunction(_ squaredDistances: Tensor, size: Int, standardDeviation: Float) -> Tensor {
    let unit = 2 * Float(size) * standardDeviation * standardDeviation
    switch self {
    case .inverseMultiquadratic:
      let values = MMDKernel.scales.map { unit * $0 / (unit * $0 + squaredDistances) }
      return values.dropFirst().reduce(values[0], +)
    case .radialBasis: return exp(squaredDistances * (-1 / unit))
    }
  }
}

/// Unbiased estimate of the squared maximum mean discrepancy between the distributions of two
/// samples.
///
/// Concretely, Σ_{i≠j} (k(x_i, x_j) + k(y_i, y_j)) / (n (n − 1)) − 2 Σ_{ij} k(x_i, y_j) / n²; it
/// can be slightly negative. `standardDeviation` is σ of the prior, from which the kernels take
/// their scale. Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, Lemma 6. Shapes: both `[n,
/// m]`, n ≥ 2 → a scalar.
public func maximumMeanDiscrepancy(
  _ x: Tensor, _ y: Tensor, kernel: MMDKernel, standardDeviation: Float = 1
) -> Tensor {
  let (n, m) = (x.shape[0], x.shape[1])
  require(x.shape == y.shape, "maximumMeanDiscrepancy: \(x.shape) and \(y.shape) differ")
  require(n >= 2, "maximumMeanDiscrepancy: \(n) sample, expected at least 2")
  func similarities(_ a: Tensor, _ b: Tensor) -> Tensor {
    kernel(squaredDistances(a, b), size: m, standardDeviation: standardDeviation)
  }
  let others = 1 - identity(n)
  let within = (similarities(x, x) + similarities(y, y)) * others
  return within.sum() / Float(n * (n - 1)) - 2 * similarities(x, y).mean()
}

/// ‖a_i − b_j‖² = ‖a_i‖² + ‖b_j‖² − 2 a_i · b_j, not below zero. Shapes: `[n, m]`, `[k, m]` → `[n,
/// k]`.
func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
  // A difference of nearly equal numbers: products keep all their digits here.
  let products = withPrecision(.float32) { matmul(a, b, transposeSecond: true) }
  let norms =
    a.squared.sum(1, keepingDimensions: true)
    + b.squared.sum(1).reshaped(to: [1, b.shape[0]])
  return relu(norms - 2 * products)
}

private func identity(_ n: Int) -> Tensor {
  Tensor((0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 }, shape: [n, n])
}
