import LatheNN
import LatheTensors

/// β-VAE: a variational autoencoder with a weight on the KL.
///
/// Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework", ICLR 2017. The default weights,
/// below 1, are those with which Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, tuned their VAEs
/// for samples.
public struct BetaVAE: VariationalModel {
  public static let name = "beta-vae"
  public static let summary = "variational autoencoder with a weight on the KL"
  public static let source = "Higgins et al. 2017"

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: VariationalSettings {
    public var likelihood = Likelihood.fixedVariance
    /// β, the weight of KL(q(z | x) ‖ N(0, I)).
    public var beta: Float = 0.156
    public var latentSize = 32
    public var networks = AnyArchitecture.flexaeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var learningRate: Float = 2e-4
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    guard images.channels > 1 else { return configuration }
    configuration.latentSize = 128
    configuration.beta = images.height < 64 ? 0.036 : 0.135
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    configuration.networkError(images) ?? rateError(["beta": configuration.beta])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration)
  }

  public var step: [Block<Self>] {
    let rate = Schedule.constant(configuration.learningRate)
    return [
      Block(Phase("elbo", updates: [.encoder, .decoder], by: .adam(rate)) { $0.negativeELBO($1) })
    ]
  }

  /// −E[log p(x | z)] + β KL(q(z | x) ‖ N(0, I)) (Higgins et al., Eq. 4).
  func negativeELBO(_ batch: Batch) -> Losses {
    let posterior = networks.encoder(batch.images, mode: .training)
    let codes = posterior.sample(using: batch.random)
    let reconstruction = networks.negativeLogLikelihood(batch.images, given: codes)
    let kl = posterior.kl
    return Losses(
      reconstruction + configuration.beta * kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }
}
