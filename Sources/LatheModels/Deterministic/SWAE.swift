import LatheNN
import LatheTensors

/// Autoencoder whose codes are held to N(0, I) by the sliced Wasserstein distance.
///
/// Kolouri et al., "Sliced Wasserstein Auto-Encoders", ICLR 2019. Reconstruction, weights and rate
/// are those of Knop et al.'s comparison, "Cramer-Wold Auto-Encoder", JMLR 21, 2020, whose code
/// this follows; directions, 50 for each batch, are those of both.
public struct SWAE: DeterministicModel {
  public static let name = "swae"
  public static let summary = "autoencoder, codes held to N(0, I) along random directions"
  public static let source = "Kolouri et al. 2019"
  public static let takesLabels = true

  public typealias Group = AutoencoderGroup

  public struct Configuration: DeterministicConfiguration {
    public var deterministic = DeterministicSettings()
    @Setting("λ, the weight of the distance.", bounds: .atLeast(0)) public var distanceWeight:
      Float = 1
    @Setting("Directions that the distance is taken along in each batch.", bounds: .size())
    public var directions = 50
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.deterministic.suitCramerWold(images)
    if images.height >= 64 { configuration.distanceWeight = 100 }
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
  }

  /// ‖x − Dec(z)‖² + λ SW₂²(z, p), z = E(x), p ~ N(0, I).
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: batch.mode)
    let reconstruction = squaredError(
      batch.images, networks.decoded(codes, of: batch.images, mode: batch.mode))
    let directions = batch.sharedRandom.normal(
      "directions", [configuration.directions, configuration.latentSize])
    let distance = slicedWassersteinDistance(
      batch.gathered(codes), batch.gathered(batch.random.normal("prior", codes.shape)),
      along: directions)
    return Losses(
      reconstruction + configuration.distanceWeight * distance,
      terms: ["reconstruction": reconstruction, "distance": distance])
  }
}
