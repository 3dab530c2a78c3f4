import LatheNN
import LatheTensors

/// FlexAE: an autoencoder whose prior is learned by a generator (P-GEN) against a critic of the codes.
///
/// Mondal et al., "FlexAE: Flexibly Learning Latent Priors for Wasserstein Auto-Encoders", UAI 2021; step, rates and
/// networks (`flexae-conv`) as in its released code. With `smoothing` it is FlexAE-SR, which is what that code trains: a second critic
/// judges images decoded between two codes, and encoder and decoder learn to pass.
public struct FlexAE: Model {
  public static let name = "flexae"
  public static let summary =
    "autoencoder with a prior learned by a generator against a WGAN-GP critic"
  public static let source = "Mondal et al. 2021"

  public enum Group: String, ParameterGroup {
    case encoder, decoder, generator, critic
    case imageCritic = "image_critic"
  }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 32
    /// Size of the generator's input.
    public var noiseSize = 32
    public var networks = AnyArchitecture.flexaeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    /// Widths of the generator's hidden layers: its capacity decides how flexible the prior is.
    public var generatorHidden = [1024, 1024, 1024, 1024]
    public var criticHidden = [1024, 1024, 1024, 1024]
    /// Critic updates for each update of the rest.
    public var criticSteps = 5
    /// λ in Gulrajani et al., Eq. 3.
    public var penaltyWeight: Float = 10
    /// Adam's rates, one for each phase. The trade-off between them stands in for a weight on the prior.
    public var reconstructionRate: Float = 2e-4
    public var criticRate: Float = 1e-4
    public var generatorRate: Float = 2e-4
    public var encoderRate: Float = 1e-5
    /// Whether interpolations are smoothed (SR); only then there is an image critic.
    public var smoothing = false
    public var imageCriticRate: Float = 2e-4
    public var smoothingRate: Float = 2e-4
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork
  private let generator, critic: MLP
  private let imageCritic: FlexAEConv.ImageCritic?

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 32 : 128
    configuration.noiseSize = configuration.latentSize
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? (c.smoothing ? sidesError(images, halvings: 2) : nil)
      ?? sizeError([
        "latentSize": c.latentSize, "noiseSize": c.noiseSize, "criticSteps": c.criticSteps,
        "generatorHidden": c.generatorHidden.min() ?? 1, "criticHidden": c.criticHidden.min() ?? 1,
      ])
      ?? sizeError(["filters": c.filters, "hiddenSize": c.hiddenSize], atLeast: 0)
      ?? rateError([
        "penaltyWeight": c.penaltyWeight, "reconstructionRate": c.reconstructionRate,
        "criticRate": c.criticRate, "generatorRate": c.generatorRate, "encoderRate": c.encoderRate,
        "imageCriticRate": c.imageCriticRate, "smoothingRate": c.smoothingRate,
      ])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = networks.encoder(scope("encoder"), images: images, outputs: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    generator = MLP(
      scope("generator"), inputs: configuration.noiseSize, hidden: configuration.generatorHidden,
      outputs: m, initializer: .glorotNormal)
    critic = MLP(
      scope("critic"), inputs: m, hidden: configuration.criticHidden, outputs: 1,
      initializer: .glorotNormal)
    imageCritic =
      configuration.smoothing
      ? FlexAEConv.ImageCritic(scope(Group.imageCritic.rawValue), images: images, size: size) : nil
  }

  public var step: [Block<Self>] {
    let c = configuration
    let reconstruct = Phase<Self>(
      "reconstruction", updates: [.encoder, .decoder], by: .adam(.constant(c.reconstructionRate))
    ) { $0.reconstructionLoss($1) }
    let updateCritic = Phase<Self>("critic", updates: [.critic], by: adversarial(c.criticRate)) {
      $0.criticLoss($1)
    }
    let updateGenerator = Phase<Self>(
      "generator", updates: [.generator], by: adversarial(c.generatorRate)
    ) {
      $0.generatorLoss($1)
    }
    let updateEncoder = Phase<Self>("encoder", updates: [.encoder], by: adversarial(c.encoderRate))
    {
      $0.encoderLoss($1)
    }
    guard let imageCritic else {
      return [
        Block(reconstruct), Block(repeats: c.criticSteps, updateCritic),
        .reusingBatch(updateGenerator, updateEncoder),
      ]
    }
    let updateImageCritic = Phase<Self>(
      "image-critic", updates: [.imageCritic], by: adversarial(c.imageCriticRate, beta1: 0.5)
    ) { $0.imageCriticLoss($1, imageCritic) }
    let smooth = Phase<Self>(
      "smoothing", updates: [.encoder, .decoder], by: adversarial(c.smoothingRate, beta1: 0.5)
    ) { $0.smoothingLoss($1, imageCritic) }
    return [
      Block(reconstruct),
      Block(repeats: c.criticSteps, batches: 2, updateCritic, updateImageCritic),
      .reusingBatch(smooth, updateGenerator, updateEncoder),
    ]
  }

  private func adversarial(_ rate: Float, beta1: Float = 0) -> OptimizerRule {
    .adam(.constant(rate), beta1: beta1, beta2: 0.9)
  }

  /// E ‖x − Dec(E(x))‖².
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .training)
    return Losses(squaredError(batch.images, decoder(codes, mode: .training)))
  }

  /// E[C(G(n))] − E[C(E(x))] + λ E[(‖∇C(ẑ)‖₂ − 1)²], ẑ on the line between a code and a generated code.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)  // [N, latentSize]
    return criticLosses(
      { critic($0, mode: .training) }, real: codes,
      generated: generator(noise(batch), mode: .trainingWithoutTracking),
      mix: batch.random.uniform("mix", [codes.shape[0], 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[C(G(n))].
  func generatorLoss(_ batch: Batch) -> Losses {
    let codes = generator(noise(batch), mode: .training)
    return Losses(-critic(codes, mode: .trainingWithoutTracking).mean())
  }

  /// E[C(E(x))]: the encoder moves towards the prior, by a much smaller step.
  func encoderLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)
    return Losses(critic(codes, mode: .trainingWithoutTracking).mean())
  }

  /// E[K(Dec(z̄))] − E[K(x)] + λ E[(‖∇K(x̂)‖₂ − 1)²], x̂ on the line between an image and a decoded interpolation.
  func imageCriticLoss(_ batch: Batch, _ imageCritic: FlexAEConv.ImageCritic) -> Losses {
    criticLosses(
      { imageCritic($0, mode: .training) }, real: batch.images, generated: interpolation(batch),
      mix: batch.random.uniform("image-mix", [batch.images.shape[0], 1, 1, 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[K(Dec(z̄))].
  func smoothingLoss(_ batch: Batch, _ imageCritic: FlexAEConv.ImageCritic) -> Losses {
    Losses(-imageCritic(interpolation(batch), mode: .trainingWithoutTracking).mean())
  }

  /// Dec(z̄), z̄ = a E(x) + (1 − a) E(x′), a ~ U(0, 1) for each pair.
  private func interpolation(_ batch: Batch) -> Tensor {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)
    let others = encoder(batch.otherImages, mode: .trainingWithoutTracking)
    let share = batch.random.uniform("interpolation", [codes.shape[0], 1])
    return decoder(others + share * (codes - others), mode: .trainingWithoutTracking)
  }

  private func noise(_ batch: Batch) -> Tensor {
    batch.random.normal("noise", [batch.images.shape[0], configuration.noiseSize])
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  /// G(n), n ~ N(0, I).
  public var samplers: [Sampler] {
    [
      Sampler(.prior) {
        generator($1.normal("noise", [$0, configuration.noiseSize]), mode: .inference)
      }
    ]
  }
}
