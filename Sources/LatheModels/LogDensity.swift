import Foundation
import LatheNN
import LatheTensors

/// log p(x) of a model with a density, by importance sampling.
///
/// Concretely, log (1/K) Σ w_k with w = p(x | z) p(z) / q(z | x) and z ~ q(z | x): a lower bound in
/// the mean, which is the ELBO for K = 1 and rises with K to log p(x). Burda, Grosse and
/// Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016, Eq. 8.
public struct LogDensity {
  /// p(x | z).
  public let likelihood: Likelihood
  /// p(z) in words.
  public let prior: String
  private let logWeights: (_ image: Tensor, _ draws: Int, _ random: RandomSource) -> Tensor

  /// Draws whose images are decoded together.
  private static let chunk = 100

  /// `logWeights` draws codes of one image, `[1, H, W, C]`, in inference, and returns log w of
  /// each, `[draws]`, in nats.
  public init(
    _ likelihood: Likelihood, prior: String,
    logWeights: @escaping (_ image: Tensor, _ draws: Int, _ random: RandomSource) -> Tensor
  ) {
    (self.likelihood, self.prior, self.logWeights) = (likelihood, prior, logWeights)
  }

  /// log p(x) of one image, `[1, H, W, C]`, in nats, from K = `draws`.
  public func estimate(of image: Tensor, draws: Int, using random: RandomSource) -> Double {
    var logs: [Double] = []
    for first in stride(from: 0, to: draws, by: Self.chunk) {
      let count = min(Self.chunk, draws - first)
      logs += logWeights(image, count, random.derived(first)).values.map { Double($0) }
    }
    let largest = logs.max() ?? -.infinity
    guard largest.isFinite else { return largest }
    return largest + log(logs.reduce(0) { $0 + exp($1 - largest) } / Double(draws))
  }
}

extension Likelihood {
  /// log p(x | z) of one image for each of several decoded codes, summed over its values, in nats.
  ///
  /// Shapes: `[1, H, W, C]`, `[K, H, W, C]` → `[K]`; `logGamma` is the logarithm of a learned
  /// standard deviation.
  func logDensity(of image: Tensor, around decoded: Tensor, logGamma: Tensor? = nil) -> Tensor {
    let pixels = Float(image.shape.count)
    let constant = pixels * 0.918_938_53
    func squares() -> Tensor { (decoded - image).squared.flattened.sum(1) }
    switch self {
    case .crossEntropy:
      let some = log(decoded.clamped(to: 1e-8...Float.infinity))
      let none = log((1 - decoded).clamped(to: 1e-8...Float.infinity))
      return (image * some + (1 - image) * none).flattened.sum(1)
    case .fixedVariance: return -0.5 * squares() - constant
    case .learnedVariance:
      let logGamma = logGamma!.reshaped(to: [])
      return -0.5 * squares() * exp(-2 * logGamma) - pixels * logGamma - constant
    }
  }
}

extension Posterior {
  /// The distribution of the first image, so many times.
  func repeated(_ count: Int) -> Posterior { gather([Int](repeating: 0, count: count)) }

  /// log q(z | x), `[N, m]` → `[N]`.
  func logDensity(of codes: Tensor) -> Tensor {
    logNormal(codes, mean: mean, standardDeviation: standardDeviation)
  }
}
