import LatheNN
import LatheTensors

/// FlexAE: an autoencoder whose prior is learned by a generator (P-GEN) against a critic of the
/// codes.
///
/// Mondal et al., "FlexAE: Flexibly Learning Latent Priors for Wasserstein Auto-Encoders", UAI
/// 2021; step, rates and networks (A1) as in its released code. With `smoothing` it is FlexAE-SR,
/// which is what that code trains: a second critic judges images decoded between two codes, and
/// encoder and decoder learn to pass.
public struct FlexAE: AutoencoderModel {
  public static let name = "flexae"
  public static let summary =
    "autoencoder with a prior learned by a generator against a WGAN-GP critic"
  public static let source = "Mondal et al. 2021"

  public enum Group: String, ParameterGroup {
    case encoder, decoder, generator, critic
    case imageCritic = "image_critic"
  }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.flexaeConv, latentSize: 32)
    @Setting("Size of the generator's input.", bounds: .size()) public var noiseSize = 32
    @Setting(
      "Widths of the generator's hidden layers: its capacity; []: a scale and a shift for each "
        + "dimension.", bounds: .each(.size()))
    public var generatorHidden = [1024, 1024, 1024, 1024]
    @Setting("Widths of the critic's hidden layers.", bounds: .each(.size())) public
      var criticHidden = [1024, 1024, 1024, 1024]
    @Setting("Critic updates for each update of the rest.", bounds: .repeats) public
      var criticSteps = 5
    @Setting("λ in Gulrajani et al., Eq. 3.", bounds: .atLeast(0)) public var penaltyWeight: Float =
      10
    // The trade-off between the four rates stands in for a weight on the prior.
    @Setting("Adam's learning rate of the reconstruction.", bounds: .atLeast(0)) public
      var reconstructionRate: Float = 2e-4
    @Setting("Adam's learning rate of the critic.", bounds: .atLeast(0)) public var criticRate:
      Float = 1e-4
    @Setting("Adam's learning rate of the generator.", bounds: .atLeast(0)) public
      var generatorRate: Float = 2e-4
    @Setting("Adam's learning rate of the encoder against the critic.", bounds: .atLeast(0)) public
      var encoderRate: Float = 1e-5
    @Setting("Whether interpolations are smoothed (SR), by an image critic.")
    public var smoothing = false
    @Setting("Adam's learning rate of the image critic.", bounds: .atLeast(0)) public
      var imageCriticRate: Float = 2e-4
    @Setting("Adam's learning rate of the smoothing.", bounds: .atLeast(0)) public
      var smoothingRate: Float = 2e-4
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let generator: PriorGenerator
  private let critic: MLP
  private let imageCritic: ImageCritic?

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 32 : 128
    configuration.noiseSize = configuration.latentSize
    return configuration
  }

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  {
    try configuration.networks.architecture.validate(images)
    if configuration.smoothing { try requireSides(of: images, multiplesOf: 4) }
    let (noise, codes) = (configuration.noiseSize, configuration.latentSize)
    guard configuration.generatorHidden.isEmpty, noise != codes else { return }
    throw ConfigurationError(
      "noiseSize: expected \(codes), the latentSize, where generatorHidden is [], found \(noise)")
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    let c = configuration
    self.configuration = c
    networks = AutoencoderNetworks(scope, images: images, settings: c.autoencoder)
    generator = PriorGenerator(
      scope("generator"), inputs: c.noiseSize, hidden: c.generatorHidden, outputs: c.latentSize)
    critic = MLP(
      scope("critic"), inputs: c.latentSize, hidden: c.criticHidden, outputs: 1,
      initializer: .glorotNormal)
    imageCritic =
      c.smoothing
      ? ImageCritic(
        scope(Group.imageCritic.rawValue), images: images, size: c.autoencoder.size) : nil
  }

  public var step: [Block<Self>] {
    let c = configuration
    let reconstruct = Phase<Self>(
      "reconstruction", updates: [.encoder, .decoder], by: .adam(.constant(c.reconstructionRate))
    ) { $0.reconstructionLoss($1) }
    let critic = Phase<Self>("critic", updates: [.critic], by: adversarial(c.criticRate)) {
      $0.criticLoss($1)
    }
    let generator = Phase<Self>(
      "generator", updates: [.generator], by: adversarial(c.generatorRate)
    ) {
      $0.generatorLoss($1)
    }
    let encoder = Phase<Self>("encoder", updates: [.encoder], by: adversarial(c.encoderRate)) {
      $0.encoderLoss($1)
    }
    guard let imageCritic else {
      return [
        Block(reconstruct), Block(repeats: c.criticSteps, critic),
        .reusingBatch(generator, encoder),
      ]
    }
    let imageCriticPhase = Phase<Self>(
      "image-critic", updates: [.imageCritic], by: adversarial(c.imageCriticRate, beta1: 0.5)
    ) { $0.imageCriticLoss($1, imageCritic) }
    let smooth = Phase<Self>(
      "smoothing", updates: [.encoder, .decoder], by: adversarial(c.smoothingRate, beta1: 0.5)
    ) { $0.smoothingLoss($1, imageCritic) }
    return [
      Block(reconstruct), Block(repeats: c.criticSteps, batches: 2, critic, imageCriticPhase),
      .reusingBatch(smooth, generator, encoder),
    ]
  }

  private func adversarial(_ rate: Float, beta1: Float = 0) -> OptimizerRule {
    .adam(.constant(rate), beta1: beta1, beta2: 0.9)
  }

  /// E ‖x − Dec(E(x))‖².
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .training)
    return Losses(squaredError(batch.images, networks.decoder(codes, mode: .training)))
  }

  /// E[C(G(n))] − E[C(E(x))] + λ E[(‖∇C(ẑ)‖₂ − 1)²], ẑ on the line between a code and a generated
  /// code.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = codes(batch).detached  // [N, latentSize]
    return criticLosses(
      { critic($0, mode: .training) }, real: codes, generated: generated(batch).detached,
      mix: batch.random.uniform("mix", [codes.shape[0], 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[C(G(n))].
  func generatorLoss(_ batch: Batch) -> Losses {
    Losses(-critic(generated(batch), mode: .trainingWithoutTracking).mean())
  }

  /// E[C(E(x))]: the encoder moves towards the prior, by a much smaller step.
  func encoderLoss(_ batch: Batch) -> Losses {
    Losses(critic(codes(batch), mode: .trainingWithoutTracking).mean())
  }

  /// E[K(Dec(z̄))] − E[K(x)] + λ E[(‖∇K(x̂)‖₂ − 1)²], x̂ on the line between an image and a decoded
  /// interpolation.
  func imageCriticLoss(_ batch: Batch, _ imageCritic: ImageCritic) -> Losses {
    criticLosses(
      { imageCritic($0, mode: .training) }, real: batch.images,
      generated: withoutGradients { interpolation(batch) },
      mix: batch.random.uniform("image-mix", [batch.images.shape[0], 1, 1, 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[K(Dec(z̄))].
  func smoothingLoss(_ batch: Batch, _ imageCritic: ImageCritic) -> Losses {
    Losses(-imageCritic(interpolation(batch), mode: .trainingWithoutTracking).mean())
  }

  /// Dec(z̄), z̄ = a E(x) + (1 − a) E(x′), a ~ U(0, 1) for each pair.
  private func interpolation(_ batch: Batch) -> Tensor {
    let codes = codes(batch)
    let others = batch.once("other codes", by: Group.encoder) {
      networks.encoder(batch.otherImages, mode: .trainingWithoutTracking)
    }
    let share = batch.random.uniform("interpolation", [codes.shape[0], 1])
    return networks.decoder(others + share * (codes - others), mode: .trainingWithoutTracking)
  }

  /// E(x), once for the phases that come before the encoder moves.
  private func codes(_ batch: Batch) -> Tensor {
    batch.once("codes", by: Group.encoder) {
      networks.encoder(batch.images, mode: .trainingWithoutTracking)
    }
  }

  /// G(n), n ~ N(0, I), once for the phases that come before the generator moves.
  private func generated(_ batch: Batch) -> Tensor {
    batch.once("generated", by: Group.generator) { generator(noise(batch), mode: .training) }
  }

  private func noise(_ batch: Batch) -> Tensor {
    batch.random.normal("noise", [batch.images.shape[0], configuration.noiseSize])
  }

  /// G(n), n ~ N(0, I).
  public var samplers: [Sampler] {
    [
      Sampler(.prior) {
        generator($1.normal("noise", [$0, configuration.noiseSize]), mode: .inference)
      }
    ]
  }
}
