import LatheNN
import LatheTensors

/// Adversarial autoencoder whose codes a WGAN-GP critic compares with N(0, I): MaskAAE with its mask switched off.
///
/// The autoencoder is Makhzani et al., "Adversarial Autoencoders", 2016, Section 2; networks (`mlp`), losses, rates and
/// alternation are those of the released code of Mondal et al., "MaskAAE: Latent Space Optimization for Adversarial
/// Auto-Encoders", UAI 2020.
public struct AAE: Model {
  public static let name = "aae"
  public static let summary = "adversarial autoencoder with a WGAN-GP critic of the codes"
  public static let source = "Makhzani et al. 2016; Mondal et al. 2020"

  public enum Group: String, ParameterGroup { case encoder, decoder, critic }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 64
    public var networks = AnyArchitecture.mlp
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var criticHidden = [1024, 1024, 1024, 1024]
    /// Critic updates for each update of the rest, each on fresh images.
    public var criticSteps = 5
    /// λ in Gulrajani et al., Eq. 3.
    public var penaltyWeight: Float = 10
    /// RMSProp's rates, one for each phase.
    public var reconstructionRate: Float = 5e-4
    public var criticRate: Float = 1e-4
    public var encoderRate: Float = 1e-4
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork
  private let critic: MLP

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    (configuration.latentSize, configuration.networks) = defaults(for: images)
    return configuration
  }

  /// Latent size and networks for images of a shape: capacities of Mondal et al. 2020, Table 2.
  static func defaults(for images: ImageShape) -> (latentSize: Int, networks: AnyArchitecture) {
    if images.channels > 1 { return (256, .flexaeConv) }
    return (images.height == 1 ? 16 : 64, .mlp)
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError([
        "latentSize": c.latentSize,
        "criticSteps": c.criticSteps, "criticHidden": c.criticHidden.min() ?? 1,
      ])
      ?? sizeError(["filters": c.filters, "hiddenSize": c.hiddenSize], atLeast: 0)
      ?? rateError([
        "penaltyWeight": c.penaltyWeight, "reconstructionRate": c.reconstructionRate,
        "criticRate": c.criticRate, "encoderRate": c.encoderRate,
      ])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = networks.encoder(scope("encoder"), images: images, outputs: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    critic = MLP(
      scope("critic"), inputs: m, hidden: configuration.criticHidden, outputs: 1,
      initializer: .glorotNormal, biasInitializer: .glorotUniform)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let reconstruct = Phase<Self>(
      "reconstruction", updates: [.encoder, .decoder], by: .rmsProp(.constant(c.reconstructionRate))
    ) { $0.reconstructionLoss($1) }
    let updateCritic = Phase<Self>(
      "critic", updates: [.critic], by: .rmsProp(.constant(c.criticRate))
    ) {
      $0.criticLoss($1)
    }
    let updateEncoder = Phase<Self>(
      "encoder", updates: [.encoder], by: .rmsProp(.constant(c.encoderRate))
    ) {
      $0.encoderLoss($1)
    }
    return [Block(reconstruct), Block(repeats: c.criticSteps, updateCritic), Block(updateEncoder)]
  }

  /// Cross-entropy of x and Dec(E(x)), the mean over pixels.
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .training)
    return Losses(
      meanCrossEntropy(batch.images, probability: decoder(codes, mode: .training)))
  }

  /// E[C(E(x))] − E[C(p)] + λ E[(‖∇C(ẑ)‖₂ − 1)²], p ~ N(0, I), ẑ on the line between a code and a p.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)  // [N, latentSize]
    return criticLosses(
      { critic($0, mode: .training) }, real: batch.random.normal("prior", codes.shape),
      generated: codes,
      mix: batch.random.uniform("mix", [codes.shape[0], 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[C(E(x))].
  func encoderLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)
    return Losses(-critic(codes, mode: .trainingWithoutTracking).mean())
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }
}
