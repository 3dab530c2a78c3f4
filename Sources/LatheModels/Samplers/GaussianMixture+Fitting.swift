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
    let start = try GaussianMixture(
      clusters.moments(regularization: fitting.regularization), of: codes.count)
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
    let density = MixtureDensity(self)
    return try codes.sum { share in
      [density.responsibilities(share).logLikelihood]
    }[0] / Double(codes.count)
  }

  /// E-step and M-step; the log-likelihood is that before the M-step.
  private func round(on codes: CodeShares, _ fitting: Fitting) throws -> (GaussianMixture, Double) {
    let density = MixtureDensity(self)
    let values = try codes.sum { share in
      let (responsibilities, logLikelihood) = density.responsibilities(share)
      var sums = MixtureSums(components: count, latentSize: latentSize)
      sums.add(share, responsibilities, around: means)
      return sums.values + [logLikelihood]
    }
    let logLikelihood = values.last! / Double(codes.count)
    guard logLikelihood.isFinite else { throw SamplerError.notFinite(.gmm) }
    let sums = MixtureSums(Array(values.dropLast()), components: count, latentSize: latentSize)
    let moments = MixtureMoments(sums, around: means, regularization: fitting.regularization)
    return (try GaussianMixture(moments, of: codes.count), logLikelihood)
  }

  /// M-step: π = N / n, with the components' own means and covariances.
  private init(_ moments: MixtureMoments, of n: Int) throws {
    let weights = moments.counts.map { $0 / Double(n) }
    let sum = weights.reduce(0, +)
    guard
      let mixture = GaussianMixture(
        weights: weights.map { $0 / sum }, means: moments.means, covariances: moments.covariances)
    else { throw SamplerError.notFinite(.gmm) }
    self = mixture
  }
}
