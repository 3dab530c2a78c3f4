import LatheNN
import LatheTensors

/// β-VAE: a variational autoencoder with a weight on the KL term.
///
/// Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
/// Framework", ICLR 2017. The default weights, below 1, are those with which Ghosh et al., "From
/// Variational to Deterministic Autoencoders", ICLR 2020, tuned their VAEs for samples.
public struct BetaVAE: VariationalModel {
  public static let name = "beta-vae"
  public static let summary = "variational autoencoder with a weight on the KL term"
  public static let source = "Higgins et al. 2017"
  public static let takesLabels = true

  public typealias Group = AutoencoderGroup

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.fixedVariance, latentSize: 32)
    @Setting("β, the weight of KL(q(z | x) ‖ N(0, I)).", bounds: .atLeast(0)) public var beta:
      Float = 0.156
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = comparedLatentSize(images)
    guard images.channels > 1 else { return configuration }
    configuration.beta = images.height < 64 ? 0.036 : 0.135
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
  }

  /// −E[log p(x | z)] + β KL(q(z | x) ‖ N(0, I)) (Higgins et al., Eq. 4).
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, _, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = posterior.kl
    return Losses(
      reconstruction + configuration.beta * kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }
}
