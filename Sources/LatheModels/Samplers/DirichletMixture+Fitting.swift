import Foundation
import LatheTensors

// Variational inference. Blei and Jordan 2006 for the weights, each a share v ~ Beta(1, α) of what
// those before leave; Bishop, "Pattern Recognition and Machine Learning", 2006, Section 10.2, for
// means and precisions, p(μ, Λ) = N(μ; m₀, (β₀ Λ)⁻¹) W(Λ; W₀, ν₀).
//
// Goals, in order:
// 1. The numbers of scikit-learn's BayesianGaussianMixture from the same start, with its priors: m₀
//   and W₀⁻¹ the codes' mean and covariance, β₀ = 1, ν₀ = m.
// 2. The same bits for any number of processes, as `GaussianMixture`.
extension DirichletMixture {
  /// How a mixture is fitted; scikit-learn's defaults, and ten components.
  public struct Fitting: Sendable {
    /// The most that it may have.
    public var components = 10
    /// α; nil: 1 / components.
    public var concentration: Double?
    /// Added to the diagonals of covariances.
    public var regularization = 1e-6
    /// It ends when the lower bound changes by less.
    public var tolerance = 1e-3
    public var mostRounds = 100
    public init() {}
  }

  public static func fitted(to codes: CodeShares, using random: RandomSource) throws
    -> DirichletMixture
  {
    let fitting = Fitting()
    guard codes.count >= fitting.components else {
      throw SamplerError.tooFew(codes: codes.count, needed: fitting.components)
    }
    let clusters = try KMeans(codes, count: fitting.components, using: random.derived("k-means"))
    return try fitted(to: codes, from: clusters.centres, fitting).mixture
  }

  /// A mixture fitted from clusters, each code in that of the nearest of `centres`,
  /// `[components, latentSize]`; the lower bound on log p(codes) but for a constant, in nats, and
  /// the rounds that were made.
  public static func fitted(to codes: CodeShares, from centres: [Double], _ fitting: Fitting) throws
    -> (mixture: DirichletMixture, lowerBound: Double, rounds: Int)
  {
    let prior = try MixturePrior(codes, fitting)
    let clusters = KMeans(codes, centres: centres)
    var posterior = try prior.posterior(
      clusters.moments(regularization: fitting.regularization))
    var before = -Double.infinity
    for round in 1...max(1, fitting.mostRounds) {
      let (next, bound) = try posterior.round(on: codes, prior)
      posterior = next
      let isDone = abs(bound - before) < fitting.tolerance
      before = bound
      if isDone { return (DirichletMixture(posterior.expected), bound, round) }
    }
    return (DirichletMixture(posterior.expected), before, fitting.mostRounds)
  }
}

/// The priors of a mixture of codes.
private struct MixturePrior {
  /// α.
  let concentration: Double
  /// m₀, `[latentSize]`.
  let mean: [Double]
  /// W₀⁻¹, `[latentSize, latentSize]`.
  let scale: [Double]
  let regularization: Double

  init(_ codes: CodeShares, _ fitting: DirichletMixture.Fitting) throws {
    let (m, n) = (codes.latentSize, Double(codes.count))
    let total = try codes.sum { share in
      (0..<m).map { axis in (0..<share.count).reduce(0) { $0 + share.codes[$1 * m + axis] } }
    }
    let mean = total.map { $0 / n }
    let squares = try codes.sum { share in
      var sums = MixtureSums(components: 1, latentSize: m)
      sums.add(share, [Double](repeating: 1, count: share.count), around: mean)
      return sums.values
    }
    self.mean = mean
    scale = squares.dropFirst(1 + m).map { $0 / (n - 1) }
    concentration = fitting.concentration ?? 1 / Double(fitting.components)
    regularization = fitting.regularization
  }

  /// M-step: the posterior of weights, means and precisions, given each component's moments N, x̄
  /// and S.
  func posterior(_ moments: MixtureMoments) throws -> MixturePosterior {
    let m = mean.count
    var covariances: [Double] = []
    var means: [Double] = []
    for (component, n) in moments.counts.enumerated() {
      let own = moments.means[component * m..<(component + 1) * m]
      let difference = zip(own, mean).map { $0 - $1 }
      means += zip(own, mean).map { (n * $0 + $1) / (1 + n) }
      for row in 0..<m {
        for column in 0..<m {
          let place = row * m + column
          // Bishop, Eq. 10.62, over ν.
          let sum =
            scale[place] + n * moments.covariances[component * m * m + place]
            + n / (1 + n) * difference[row] * difference[column]
          covariances.append(sum / (Double(m) + n))
        }
      }
    }
    let rest = moments.counts.indices.map { moments.counts.dropFirst($0 + 1).reduce(0, +) }
    let sticks = zip(moments.counts, rest).map { (1 + $0, concentration + $1) }
    let weights = MixturePosterior.expectedWeights(sticks)
    guard
      let mixture = GaussianMixture(weights: weights, means: means, covariances: covariances)
    else { throw SamplerError.notFinite(DirichletMixture.name) }
    return MixturePosterior(sticks: sticks, counts: moments.counts, expected: mixture)
  }
}

/// The posterior of weights, means and precisions.
private struct MixturePosterior {
  /// v ~ Beta(a, b), `[components]`.
  let sticks: [(a: Double, b: Double)]
  /// N, `[components]`: β = 1 + N, ν = m + N.
  let counts: [Double]
  /// Expected weights, expected means and (ν W)⁻¹.
  let expected: GaussianMixture

  private var latentSize: Double { Double(expected.latentSize) }

  /// E[π]: the share that is broken off, of what the sticks before have left.
  static func expectedWeights(_ sticks: [(a: Double, b: Double)]) -> [Double] {
    var left = 1.0
    let weights = sticks.map { stick in
      defer { left *= stick.b / (stick.a + stick.b) }
      return left * stick.a / (stick.a + stick.b)
    }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// E-step and M-step; the lower bound is that of the E-step's responsibilities with the new
  /// posterior.
  func round(on codes: CodeShares, _ prior: MixturePrior) throws -> (MixturePosterior, Double) {
    let density = MixtureDensity(expected, logWeights: logWeights)
    let values = try codes.sum { share in
      let responsibilities = density.responsibilities(share).values
      var sums = MixtureSums(components: expected.count, latentSize: expected.latentSize)
      sums.add(share, responsibilities, around: expected.means)
      return sums.values + [responsibilities.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }]
    }
    let sums = MixtureSums(
      Array(values.dropLast()), components: expected.count, latentSize: expected.latentSize)
    let next = try prior.posterior(
      MixtureMoments(sums, around: expected.means, regularization: prior.regularization))
    let bound = values.last! + next.bound
    guard bound.isFinite else { throw SamplerError.notFinite(DirichletMixture.name) }
    return (next, bound)
  }

  /// What stands for log π in the E-step: E[log π] + ½ E[log |Λ|] + log |L| − ½ m / β, where L Lᵀ =
  /// (ν W)⁻¹. Bishop, Eqs. 10.64 and 10.65.
  private var logWeights: [Double] {
    var before = 0.0
    return zip(sticks, counts).map { stick, n in
      let all = digamma(stick.a + stick.b)
      let own = digamma(stick.a) - all + before
      before += digamma(stick.b) - all
      let (freedom, m) = (latentSize + n, latentSize)
      let logPrecision = halves(freedom).reduce(m * log(2)) { $0 + digamma($1) }
      return own + 0.5 * (logPrecision - m * log(freedom) - m / (1 + n))
    }
  }

  /// The lower bound but for the responsibilities' entropy and constants: normalising constants of
  /// the posteriors. Bishop, Eq. 10.77.
  var bound: Double {
    let m = latentSize
    return sticks.indices.reduce(0) { sum, component in
      let (stick, n) = (sticks[component], counts[component])
      let freedom = m + n
      let logScale = -expected.logVolume(of: component) - 0.5 * m * log(freedom)
      let logWishart = -halves(freedom).reduce(freedom * (logScale + 0.5 * m * log(2))) {
        $0 + lgamma($1)
      }
      let logBeta = lgamma(stick.a) + lgamma(stick.b) - lgamma(stick.a + stick.b)
      return sum - logWishart + logBeta - 0.5 * m * log(1 + n)
    }
  }

  /// ½ (ν − i), i from 0 to m − 1.
  private func halves(_ freedom: Double) -> [Double] {
    (0..<expected.latentSize).map { 0.5 * (freedom - Double($0)) }
  }
}

/// ψ, the derivative of log Γ, at x > 0. Bernardo, "Algorithm AS 103: Psi (Digamma) Function",
/// Applied Statistics 1976.
private func digamma(_ x: Double) -> Double {
  var (x, value) = (x, 0.0)
  while x < 10 {
    value -= 1 / x
    x += 1
  }
  let y = 1 / (x * x)
  let series = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y / 132))))
  return value + log(x) - 0.5 / x - series
}
