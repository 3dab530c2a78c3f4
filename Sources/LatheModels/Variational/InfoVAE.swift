import LatheNN
import LatheTensors

/// InfoVAE: the KL of each posterior from the prior, and that of all posteriors together by MMD.
///
/// Zhao, Song and Ermon, "InfoVAE: Balancing Learning and Inference in Variational Autoencoders", AAAI 2019. The
/// estimate of MMD is that of Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018.
public struct InfoVAE: VariationalModel {
  public static let name = "info-vae"
  public static let summary =
    "variational autoencoder whose codes are held to the prior by KL and MMD"
  public static let source = "Zhao, Song and Ermon 2019"

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: VariationalSettings {
    public var likelihood = Likelihood.fixedVariance
    /// 1 − α weighs KL(q(z | x) ‖ N(0, I)).
    public var alpha: Float = 0
    /// α + λ − 1 weighs MMD(q(z), N(0, I)).
    public var lambda: Float = 1000
    public var kernel = MMDKernel.inverseMultiquadratic
    public var latentSize = 32
    public var networks = AnyArchitecture.flexaeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var learningRate: Float = 2e-4
    public init() {}

    var klWeight: Float { 1 - alpha }
    var discrepancyWeight: Float { alpha + lambda - 1 }
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 32 : 128
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    configuration.networkError(images)
      ?? rateError([
        "1 - alpha": configuration.klWeight,
        "alpha + lambda - 1": configuration.discrepancyWeight,
      ])
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

  /// −E[log p(x | z)] + (1 − α) KL(q(z | x) ‖ p(z)) + (α + λ − 1) MMD(q(z), p(z)).
  func negativeELBO(_ batch: Batch) -> Losses {
    let posterior = networks.encoder(batch.images, mode: .training)
    let codes = posterior.sample(using: batch.random)
    let reconstruction = networks.negativeLogLikelihood(batch.images, given: codes)
    let kl = posterior.kl
    let prior = batch.random.normal("prior", codes.shape)
    let mmd = maximumMeanDiscrepancy(
      batch.gathered(codes), batch.gathered(prior), kernel: configuration.kernel)
    return Losses(
      reconstruction + configuration.klWeight * kl
        + configuration.discrepancyWeight * mmd,
      terms: [
        "reconstruction": reconstruction, "kl": kl, "mmd": mmd,
      ])
  }
}
