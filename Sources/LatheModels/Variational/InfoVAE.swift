import LatheNN
import LatheTensors

/// InfoVAE: the KL of each posterior from the prior, and that of all posteriors together by MMD.
///
/// Zhao, Song and Ermon, "InfoVAE: Balancing Learning and Inference in Variational Autoencoders",
/// AAAI 2019. The estimate of MMD is that of Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR
/// 2018.
public struct InfoVAE: VariationalModel {
  public static let name = "info-vae"
  public static let summary =
    "variational autoencoder whose codes are held to the prior by KL and MMD"
  public static let source = "Zhao, Song and Ermon 2019"
  public static let takesLabels = true

  public typealias Group = AutoencoderGroup

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.fixedVariance, latentSize: 32)
    @Setting("1 − α weighs KL(q(z | x) ‖ N(0, I)).") public var alpha: Float = 0
    @Setting("α + λ − 1 weighs MMD(q(z), N(0, I)).") public var lambda: Float = 1000
    @Setting("The kernel of MMD.") public var kernel = MMDKernel.inverseMultiquadratic
    public init() {}

    var klWeight: Float { 1 - alpha }
    var mmdWeight: Float { alpha + lambda - 1 }
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = comparedLatentSize(images)
    return configuration
  }

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  {
    try configuration.networks.architecture.validate(images)
    let weights = [
      "1 - alpha": configuration.klWeight, "alpha + lambda - 1": configuration.mmdWeight,
    ]
    for (name, weight) in weights.sorted(by: { $0.key < $1.key }) where !(weight >= 0) {
      throw ConfigurationError("\(name): expected a finite number of at least 0, found \(weight)")
    }
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
  }

  /// −E[log p(x | z)] + (1 − α) KL(q(z | x) ‖ p(z)) + (α + λ − 1) MMD(q(z), p(z)).
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, codes, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = posterior.kl
    let prior = batch.random.normal("prior", codes.shape)
    let mmd = maximumMeanDiscrepancy(
      batch.gathered(codes), batch.gathered(prior), kernel: configuration.kernel)
    return Losses(
      reconstruction + configuration.klWeight * kl
        + configuration.mmdWeight * mmd,
      terms: [
        "reconstruction": reconstruction, "kl": kl, "mmd": mmd,
      ])
  }
}
