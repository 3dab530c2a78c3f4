import LatheNN
import LatheTensors

/// Adversarial autoencoder whose codes a WGAN-GP critic compares with N(0, I): MaskAAE with its
/// mask switched off.
///
/// The autoencoder is Makhzani et al., "Adversarial Autoencoders", 2016, Section 2; networks (A5),
/// losses, rates and alternation are those of the released code of Mondal et al., "MaskAAE: Latent
/// Space Optimization for Adversarial Auto-Encoders", UAI 2020.
public struct AAE: AutoencoderModel {
  public static let name = "aae"
  public static let summary = "adversarial autoencoder with a WGAN-GP critic of the codes"
  public static let source = "Makhzani et al. 2016; Mondal et al. 2020"
  public static let takesLabels = true

  public enum Group: String, ParameterGroup { case encoder, decoder, critic }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.mlp, latentSize: 64)
    @Setting("Widths of the critic's hidden layers.", bounds: .each(.size())) public
      var criticHidden = [1024, 1024, 1024, 1024]
    @Setting(
      "Critic updates for each update of the rest, each on fresh images.", bounds: .repeats)
    public var criticSteps = 5
    @Setting("λ in Gulrajani et al., Eq. 3.", bounds: .atLeast(0)) public var penaltyWeight: Float =
      10
    @Setting("RMSProp's learning rate of the reconstruction.", bounds: .atLeast(0)) public
      var reconstructionRate: Float = 5e-4
    @Setting("RMSProp's learning rate of the critic.", bounds: .atLeast(0)) public var criticRate:
      Float = 1e-4
    @Setting("RMSProp's learning rate of the encoder.", bounds: .atLeast(0)) public var encoderRate:
      Float = 1e-4
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let critic: MLP

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    (configuration.latentSize, configuration.networks) = defaults(for: images)
    return configuration
  }

  /// Latent size and networks for images of a shape: capacities of Mondal et al. 2020, Table 2.
  static func defaults(for images: ImageShape) -> (latentSize: Int, networks: Networks) {
    if images.channels > 1 { return (256, .flexaeConv) }
    return (images.height == 1 ? 16 : 64, .mlp)
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
    critic = FullyConnected.critic(
      scope("critic"), latentSize: configuration.latentSize, hidden: configuration.criticHidden)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let reconstruct = Phase<Self>(
      "reconstruction", updates: [.encoder, .decoder], by: .rmsProp(.constant(c.reconstructionRate))
    ) { $0.reconstructionLoss($1) }
    let critic = Phase<Self>("critic", updates: [.critic], by: .rmsProp(.constant(c.criticRate))) {
      $0.criticLoss($1)
    }
    let encoder = Phase<Self>(
      "encoder", updates: [.encoder], by: .rmsProp(.constant(c.encoderRate))
    ) {
      $0.encoderLoss($1)
    }
    return [Block(reconstruct), Block(repeats: c.criticSteps, critic), Block(encoder)]
  }

  /// Cross-entropy of x and Dec(E(x)), the mean over pixels.
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .training)
    return Losses(
      meanCrossEntropy(
        batch.images, probability: networks.decoded(codes, of: batch.images, mode: .training)))
  }

  /// E[C(E(x))] − E[C(p)] + λ E[(‖∇C(ẑ)‖₂ − 1)²], p ~ N(0, I), ẑ on the line between a code and a
  /// p.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .trainingWithoutTracking)  // [N, latentSize]
    return criticLosses(
      { critic($0, mode: .training) }, real: batch.random.normal("prior", codes.shape),
      generated: codes,
      mix: batch.random.uniform("mix", [codes.shape[0], 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[C(E(x))].
  func encoderLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .trainingWithoutTracking)
    return Losses(-critic(codes, mode: .trainingWithoutTracking).mean())
  }

}
