import Foundation
import LatheTensors

/// q(z | x): von Mises–Fisher distributions on the unit sphere of m dimensions, one for each image.
///
/// Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018 (arXiv 1804.00891).
public struct VonMisesFisher {
  /// Unit vectors, `[N, m]`.
  public let mean: Tensor
  /// κ > 0, `[N, 1]`.
  public let concentration: Tensor

  public init(mean: Tensor, concentration: Tensor) {
    (self.mean, self.concentration) = (mean, concentration)
  }

  private static let proposals = 32

  /// z = U (ω, √(1 − ω²) v): Algorithm 1, with gradients through Eq. 20's ω = h(ε, κ).
  ///
  /// The correction for the acceptance step (Appendix C) is left out, as in the released code.
  /// Shapes: → `[N, m]`.
  public func sample(using random: RandomSource) -> Tensor {
    let (n, m) = (mean.shape[0], mean.shape[1])
    let omega = omega(using: random)  // [N, 1]
    let rest = random.normal("tangent", [n, m - 1])
    let tangent = rest / rest.norm(axis: 1, keepingDimensions: true)
    let height = sqrt((1 - omega.squared).clamped(to: 1e-10...Float.infinity))
    let straight = concatenated([omega, height * tangent], axis: 1)
    return reflected(straight)
  }

  /// Householder's reflection that takes (1, 0 … 0) to the mean.
  private func reflected(_ z: Tensor) -> Tensor {
    let (n, m) = (mean.shape[0], mean.shape[1])
    let first = Tensor((0..<n * m).map { $0 % m == 0 ? 1 : 0 }, shape: [n, m])
    let difference = first - mean
    let u = difference / (difference.norm(axis: 1, keepingDimensions: true) + 1e-5)
    return z - 2 * (z * u).sum(1, keepingDimensions: true) * u
  }

  /// ω by rejection (Ulrich 1984; Wood 1994), `[N, 1]`.
  private func omega(using random: RandomSource) -> Tensor {
    let (n, d) = (mean.shape[0], Float(mean.shape[1] - 1))
    let root = sqrt(4 * concentration.squared + d * d)
    let b = d / (2 * concentration + root)  // (−2κ + √(4κ² + d²)) / d without cancellation
    let a = (d + 2 * concentration + root) / 4
    let offset = 4 * a * b / (1 + b) - d * log(d)
    let epsilon = accepted(n, a.values, b.values, offset.values, random)
    return (1 - (1 + b) * epsilon) / (1 - (1 - b) * epsilon)
  }

  /// For each image the first accepted of some draws from Beta(d / 2, d / 2), a constant.
  private func accepted(
    _ n: Int, _ a: [Float], _ b: [Float], _ offset: [Float], _ random: RandomSource
  ) -> Tensor {
    let (count, m) = (Self.proposals, mean.shape[1])
    // A coordinate of a uniform point on the sphere, moved to [0, 1], has that distribution.
    let points = random.normal("proposals", [n, count * m]).reshaped(to: [n * count, m])
    let draws =
      (0.5 + 0.5 * points.slice(0..<1, axis: 1) / points.norm(axis: 1, keepingDimensions: true))
      .values
    let chances = random.uniform("chances", [n, count]).values
    let epsilon = (0..<n).map { row -> Float in
      let tries = row * count..<(row + 1) * count
      let first = tries.first { place in
        let t = 2 * a[row] * b[row] / (1 - (1 - b[row]) * draws[place])
        return Float(m - 1) * log(t) - t + offset[row] >= log(chances[place])
      }
      return draws[first ?? tries.upperBound - 1]
    }
    return Tensor(epsilon, shape: [n, 1])
  }

  /// KL(q ‖ uniform on the sphere) for each image, in nats, `[N, 1]`: Eq. 15.
  public var kl: Tensor { uniformKL(concentration, dimensions: mean.shape[1]) }
}

/// KL(vMF(·, κ) ‖ uniform). Shapes: any → the same.
///
/// Concretely, κ A(κ) + log C(κ) + log |S|, A = I_{m/2}(κ) / I_{m/2−1}(κ); its derivative is κ
/// A′(κ), A′ = 1 − (m − 1) A / κ − A².
public func uniformKL(_ concentration: Tensor, dimensions m: Int) -> Tensor {
  let values = Storage(count: concentration.shape.count)
  var slopes: [Float] = []
  for (i, kappa) in concentration.values.enumerated() {
    let (value, slope) = uniformKL(Double(kappa), dimensions: m)
    values.pointer[i] = Float(value)
    slopes.append(Float(slope))
  }
  let slope = Tensor(slopes, shape: concentration.shape)
  return operation(values, shape: concentration.shape, from: concentration) { gradient, _ in
    [gradient * slope]
  }
}

/// Value and derivative of ``uniformKL(_:dimensions:)`` for one κ > 0.
public func uniformKL(_ kappa: Double, dimensions m: Int) -> (value: Double, slope: Double) {
  let half = Double(m) / 2
  let ratio = besselRatio(half - 1, kappa)
  let logConstant = (half - 1) * log(kappa) - half * log(2 * .pi) - logBessel(half - 1, kappa)
  let logArea = log(2) + half * log(.pi) - lgamma(half)
  let slope = kappa * (1 - Double(m - 1) * ratio / kappa - ratio * ratio)
  return (kappa * ratio + logConstant + logArea, slope)
}

/// I_{v+1}(x) / I_v(x) by its continued fraction, from far out.
private func besselRatio(_ v: Double, _ x: Double) -> Double {
  (1...Int(x) + 100).reversed().reduce(0) { 1 / (2 * (v + Double($1)) / x + $0) }
}

/// log I_v(x) by its power series.
private func logBessel(_ v: Double, _ x: Double) -> Double {
  var (term, sum, scale, k) = (1.0, 1.0, 0.0, 1.0)
  while term > sum * 1e-17 || k < x {
    term *= x * x / 4 / (k * (k + v))
    sum += term
    k += 1
    if sum > 1e250 {
      (term, sum, scale) = (term * 1e-250, sum * 1e-250, scale + 250 * log(10))
    }
  }
  return v * log(x / 2) - lgamma(v + 1) + log(sum) + scale
}
