import LatheNN
import LatheTensors

/// Variational autoencoder with one of three likelihoods.
///
/// Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. The likelihoods, networks (`infogan`) and optimizer
/// are those of Dai and Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019, and its released code; that code has
/// no fixed variance, which here is the learned one held at γ = 1.
public struct VAE: VariationalModel {
  public static let name = "vae"
  public static let summary = "variational autoencoder: cross-entropy, fixed or learned variance"
  public static let source = "Kingma and Welling 2014; Dai and Wipf 2019"

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: VariationalSettings {
    public var likelihood = Likelihood.learnedVariance
    public var latentSize = 64
    public var networks = AnyArchitecture.infogan
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var learningRate: Float = 1e-4
    /// Steps after which the learning rate is halved, again and again; 0 for never.
    public var halvingSteps = 0
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    Configuration()
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    configuration.networkError(images)
      ?? sizeError(["halvingSteps": configuration.halvingSteps], atLeast: 0)
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration)
  }

  public var step: [Block<Self>] {
    let schedule = Schedule.halving(configuration.learningRate, every: configuration.halvingSteps)
    return [
      Block(
        Phase("elbo", updates: [.encoder, .decoder], by: .adam(schedule)) { $0.negativeELBO($1) })
    ]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)), z = μ + σ ε (Kingma and Welling, Eqs. 8 and 10).
  func negativeELBO(_ batch: Batch) -> Losses {
    let posterior = networks.encoder(batch.images, mode: .training)
    let codes = posterior.sample(using: batch.random)
    let reconstruction = networks.negativeLogLikelihood(batch.images, given: codes)
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
