import LatheNN
import LatheTensors

/// VAE with an implicit optimal prior: the aggregated posterior, by a density ratio that a classifier estimates.
///
/// Takahashi et al., "Variational Autoencoder with Implicit Optimal Priors", AAAI 2019; rates, widths and dropout follow
/// the released code. It publishes no sampler: ``samplers`` has sampling-importance-resampling.
public struct VAEIOP: VariationalModel {
  public static let name = "vae-iop"
  public static let summary = "variational autoencoder whose prior is the aggregated posterior"
  public static let source = "Takahashi et al. 2019"

  public enum Group: String, ParameterGroup { case encoder, decoder, ratio }

  public struct Configuration: VariationalSettings {
    public var likelihood = Likelihood.crossEntropy
    /// Updates of the density ratio for each update of the autoencoder.
    public var ratioSteps = 10
    public var ratioHidden = [500, 500, 500]
    /// Share of the last hidden layer that is dropped while the ratio is trained.
    public var dropout: Float = 0.5
    /// Steps in which the weight on the KL grows to 1; 0 for none.
    public var warmUpSteps = 0
    /// Draws from N(0, I) of which resampling keeps one.
    public var importanceDraws = 100
    public var latentSize = 40
    public var networks = AnyArchitecture.flexaeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var learningRate: Float = 1e-4
    public var ratioRate: Float = 1e-3
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  private let ratio: DensityRatio

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.warmUpSteps = steps / 10
    guard images.channels > 1 else { return configuration }
    configuration.likelihood = .fixedVariance
    configuration.latentSize = 128
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    if !(c.dropout >= 0 && c.dropout < 1) {
      return "dropout: expected at least 0 and less than 1, found \(c.dropout)"
    }
    return c.networkError(images)
      ?? sizeError([
        "ratioSteps": c.ratioSteps, "layers of ratioHidden": c.ratioHidden.count,
        "ratioHidden": c.ratioHidden.min() ?? 1, "importanceDraws": c.importanceDraws,
      ])
      ?? sizeError(["warmUpSteps": c.warmUpSteps], atLeast: 0)
      ?? rateError(["ratioRate": c.ratioRate])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration)
    ratio = DensityRatio(
      scope("ratio"), latentSize: configuration.latentSize, hidden: configuration.ratioHidden,
      dropout: configuration.dropout)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let elbo = Phase<Self>(
      "elbo", updates: [.encoder, .decoder], by: .adam(.constant(c.learningRate))
    ) { $0.negativeELBO($1) }
    let estimate = Phase<Self>("ratio", updates: [.ratio], by: .adam(.constant(c.ratioRate))) {
      $0.ratioLoss($1)
    }
    return [Block(elbo), Block(repeats: c.ratioSteps, estimate)]
  }

  /// −E[log p(x | z)] + β (KL(q(z | x) ‖ N(0, I)) − E[T(z)]), T = log q(z) / N(z; 0, I) held fixed.
  ///
  /// The bracket is KL(q(z | x) ‖ q(z)).
  func negativeELBO(_ batch: Batch) -> Losses {
    let posterior = networks.encoder(batch.images, mode: .training)
    let codes = posterior.sample(using: batch.random)
    let reconstruction = networks.negativeLogLikelihood(batch.images, given: codes)
    let kl = posterior.kl
    let logRatio = ratio(codes, mode: .trainingWithoutTracking).mean()
    let weight = warmUp(batch.step, over: configuration.warmUpSteps)
    return Losses(
      reconstruction + weight * (kl - logRatio),
      terms: ["reconstruction": reconstruction, "kl": kl, "logRatio": logRatio])
  }

  /// −E_q[log σ(T(z))] − E_N[log (1 − σ(T(z)))], with σ the logistic function.
  func ratioLoss(_ batch: Batch) -> Losses {
    let posterior = networks.encoder(batch.images, mode: .trainingWithoutTracking)
    let codes = posterior.sample(using: batch.random)
    let prior = batch.random.normal("prior", codes.shape)
    let (own, other) = ("dropout", "prior-dropout")
    let loss =
      softplus(-ratio(codes, dropping: own, batch.random)).mean()
      + softplus(ratio(prior, dropping: other, batch.random)).mean()
    return Losses(loss)
  }

  /// Of M draws from N(0, I) one, with probabilities in proportion to eᵀ⁽ᶻ⁾.
  public var samplers: [Sampler] {
    [Sampler(.importance) { ratio.resample($0, from: configuration.importanceDraws, using: $1) }]
  }

  public static var defaultSampler: Sampler.Name { .importance }

  /// None: T only estimates the KL from the prior that the model has.
  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? { nil }
}
