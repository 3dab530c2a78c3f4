import LatheNN
import LatheTensors

/// Variational autoencoder with one of three likelihoods.
///
/// Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. The likelihoods, networks (A4)
/// and optimizer are those of Dai and Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019, and
/// its released code; that code has no fixed variance, which here is the learned one held at γ = 1.
public struct VAE: VariationalModel {
  public static let name = "vae"
  public static let summary = "variational autoencoder: cross-entropy, fixed or learned variance"
  public static let source = "Kingma and Welling 2014; Dai and Wipf 2019"
  public static let takesLabels = true

  public typealias Group = AutoencoderGroup

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(
      .learnedVariance, latentSize: 64, networks: .infogan, learningRate: 1e-4)
    @Setting(
      "Steps after which the learning rate is halved, each time; 0: never.", bounds: .atLeast(0))
    public var halvingSteps = 0
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
  }

  public var step: [Block<Self>] {
    [
      Block(
        elboPhase(by: .stepDecay(configuration.learningRate, every: configuration.halvingSteps)))
    ]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)), z = μ + σ ε (Kingma and Welling, Eqs. 8 and 10).
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, _, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = posterior.kl
    return Losses(
      reconstruction + kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }

  /// From a sampled code, not from the mean, as Dai and Wipf do.
  public func reconstruct(_ images: Tensor, using random: RandomSource) -> Tensor {
    decode(sampleCodes(of: images, using: random))
  }
}
