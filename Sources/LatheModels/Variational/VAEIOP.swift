import LatheNN
import LatheTensors

/// VAE with an implicit optimal prior: the aggregated posterior, by a density ratio that a
/// classifier estimates.
///
/// Takahashi et al., "Variational Autoencoder with Implicit Optimal Priors", AAAI 2019; rates,
/// widths and dropout follow the released code. It publishes no sampler: ``samplers`` has
/// sampling-importance-resampling.
public struct VAEIOP: VariationalModel {
  public static let name = "vae-iop"
  public static let summary = "variational autoencoder whose prior is the aggregated posterior"
  public static let source = "Takahashi et al. 2019"

  public enum Group: String, ParameterGroup { case encoder, decoder, ratio }

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.crossEntropy, latentSize: 40, learningRate: 1e-4)
    @Setting(
      "Updates of the density ratio for each update of the autoencoder.", bounds: .repeats)
    public var ratioSteps = 10
    @Setting("Widths of the density ratio's hidden layers.", bounds: .oneOrMore(.size()))
    public var ratioHidden = [500, 500, 500]
    @Setting("Dropout of the last hidden layer in training.", bounds: .within(0..<1))
    public var dropout: Float = 0.5
    @Setting("Steps in which the weight of KL grows to 1; 0: none.", bounds: .atLeast(0)) public
      var warmUpSteps = 0
    @Setting("Draws from N(0, I) of which resampling keeps one.", bounds: .repeats) public
      var importanceDraws = 100
    @Setting("Adam's learning rate of the density ratio.", bounds: .atLeast(0)) public
      var ratioRate: Float = 1e-3
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

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
    ratio = DensityRatio(
      scope("ratio"), latentSize: configuration.latentSize, hidden: configuration.ratioHidden,
      dropout: configuration.dropout)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let estimate = Phase<Self>("ratio", updates: [.ratio], by: .adam(.constant(c.ratioRate))) {
      $0.ratioLoss($1)
    }
    return [
      Block(elboPhase([.encoder, .decoder], by: .constant(c.learningRate))),
      Block(repeats: c.ratioSteps, estimate),
    ]
  }

  /// −E[log p(x | z)] + β (KL(q(z | x) ‖ N(0, I)) − E[T(z)]), T = log q(z) / N(z; 0, I) held fixed.
  ///
  /// The bracket is KL(q(z | x) ‖ q(z)).
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, codes, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = posterior.kl
    let logRatio = ratio(codes).mean()
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
    return Losses(ratio.loss(codes, against: prior, using: batch.random))
  }

  /// Of M draws from N(0, I) one, with probabilities in proportion to eᵀ⁽ᶻ⁾.
  public var samplers: [Sampler] {
    [Sampler(.importance) { ratio.resample($0, from: configuration.importanceDraws, using: $1) }]
  }

  public static var defaultSampler: Sampler.Name { .importance }

  /// None: nobody knows the integral of N(z; 0, I) eᵀ⁽ᶻ⁾.
  public var density: LogDensity? { nil }

  /// None: T only estimates the KL from the prior that the model has.
  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? { nil }
}
