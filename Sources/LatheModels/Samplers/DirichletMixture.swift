import LatheTensors

/// A Dirichlet process mixture of normal distributions with full covariances: of the components it
/// may have, those that the codes do not call for keep next to no weight.
///
/// Blei and Jordan, "Variational Inference for Dirichlet Process Mixtures", Bayesian Analysis 2006.
/// Codes are drawn with the posterior's expected weights and means, and with each component's
/// inverse expected precision for its covariance, as by scikit-learn's `BayesianGaussianMixture`.
public struct DirichletMixture: FittedSampler {
  public static let name = Sampler.Name.dirichletGMM
  public static let mostCodes = Int.max
  public static let wantsDrawnCodes = false

  /// What codes are drawn from.
  public let mixture: GaussianMixture

  init(_ mixture: GaussianMixture) { self.mixture = mixture }

  public init(reading read: (String) throws -> Tensor) throws {
    do { mixture = try GaussianMixture(reading: read) } catch SamplerError.unusable(_, let fault) {
      throw SamplerError.unusable(Self.name, fault)
    }
  }

  public var tensors: [(name: String, value: Tensor)] { mixture.tensors }

  public var sampler: Sampler { Sampler(Self.name, draw: mixture.sampler.draw) }
}
