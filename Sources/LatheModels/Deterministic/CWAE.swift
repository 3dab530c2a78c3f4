import LatheNN
import LatheTensors

/// Autoencoder whose codes are held to N(0, I) by the Cramer–Wold distance, which needs no draws of
/// N(0, I) and no critic.
///
/// Knop et al., "Cramer-Wold Auto-Encoder", JMLR 21, 2020; weights, rate and batch as in its
/// released code.
public struct CWAE: DeterministicModel {
  public static let name = "cwae"
  public static let summary = "autoencoder, codes held to N(0, I) by a distance in closed form"
  public static let source = "Knop et al. 2020"
  public static let takesLabels = true

  public typealias Group = AutoencoderGroup

  public struct Configuration: DeterministicConfiguration {
    public var deterministic = DeterministicSettings()
    @Setting("λ, the weight of the distance or its logarithm.", bounds: .atLeast(0)) public
      var distanceWeight: Float = 1
    @Setting("Whether the logarithm of the distance is minimised.") public var logarithmic = true
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.deterministic.suitCramerWold(images)
    if images.height >= 64 { configuration.distanceWeight = 5 }
    return configuration
  }

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  { try configuration.validate(images, latentSizeFrom: 2) }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
  }

  /// ‖x − Dec(z)‖² + λ log (d(z) + 10⁻⁷), z = E(x), d the Cramer–Wold distance of the batch's codes
  /// to N(0, I).
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: batch.mode)
    let reconstruction = squaredError(
      batch.images, networks.decoded(codes, of: batch.images, mode: batch.mode))
    let distance = cramerWoldDistance(batch.gathered(codes))
    let regularizer = configuration.logarithmic ? log(distance + 1e-7) : distance
    return Losses(
      reconstruction + configuration.distanceWeight * regularizer,
      terms: ["reconstruction": reconstruction, "distance": distance])
  }
}

extension DeterministicSettings {
  /// Latent sizes and rates of the released code of CWAE, on networks that are nearest to its own.
  mutating func suitCramerWold(_ images: ImageShape) {
    let isGrey = images.channels == 1
    autoencoder.networks = isGrey ? .mlp : .dcgan
    autoencoder.hiddenSize = isGrey ? 200 : 0
    autoencoder.latentSize = isGrey ? 8 : 64
    learningRate = images.height >= 64 ? 5e-4 : 1e-3
  }
}
