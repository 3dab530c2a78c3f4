import Datasets
import Layers
import Optimizers
import Tensors

/// FlexAE: an auto-encoder whose prior is learned by a generator (P-GEN) against a critic of the codes.
///
/// Mondal et al., "FlexAE: Flexibly Learning Latent Priors for Wasserstein Auto-Encoders", UAI 2021, without the
/// smoothing of interpolations; step, rates and networks (A1) as in its released code. The critic's penalty is
/// Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, Eq. 3.
public struct FlexibleAutoencoder: Model {
  public static let name = "flexae"
  public static let summary =
    "auto-encoder with a prior learned by a generator against a WGAN-GP critic"
  public static let source = "Mondal et al. 2021"

  public enum Group: String, ParameterGroup { case encoder, decoder, generator, critic }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 32
    /// Size of the generator's input.
    public var noiseSize = 32
    public var networks = NetworkFamily.a1
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
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork
  private let generator, critic: MLP

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 32 : 128
    configuration.noiseSize = configuration.latentSize
    return configuration
  }

  public static func problem(with configuration: Configuration, images: ImageShape) -> String? {
    let c = configuration
    return c.networks.problem(images)
      ?? sizeProblem([
        "latentSize": c.latentSize, "noiseSize": c.noiseSize, "filters": c.filters + 1,
        "hiddenSize": c.hiddenSize + 1, "criticSteps": c.criticSteps,
        "generatorHidden": c.generatorHidden.min() ?? 1, "criticHidden": c.criticHidden.min() ?? 1,
      ])
      ?? rateProblem([
        "penaltyWeight": c.penaltyWeight, "reconstructionRate": c.reconstructionRate,
        "criticRate": c.criticRate, "generatorRate": c.generatorRate, "encoderRate": c.encoderRate,
      ])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = networks.encoder(scope("encoder"), images: images, outputs: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    generator = A1.generator(
      scope("generator"), noiseSize: configuration.noiseSize, hidden: configuration.generatorHidden,
      latentSize: m)
    critic = A1.critic(scope("critic"), latentSize: m, hidden: configuration.criticHidden)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let reconstruct = Phase<Self>(
      "reconstruction", updates: [.encoder, .decoder], by: .adam(.constant(c.reconstructionRate))
    ) { $0.reconstructionLoss($1) }
    let judge = Phase<Self>("critic", updates: [.critic], by: adversarial(c.criticRate)) {
      $0.criticLoss($1)
    }
    let fool = Phase<Self>("generator", updates: [.generator], by: adversarial(c.generatorRate)) {
      $0.generatorLoss($1)
    }
    let approach = Phase<Self>("encoder", updates: [.encoder], by: adversarial(c.encoderRate)) {
      $0.encoderLoss($1)
    }
    return [
      Block(reconstruct), Block(repeats: c.criticSteps, judge), .reusingBatch(fool, approach),
    ]
  }

  private func adversarial(_ rate: Float) -> OptimizerRule {
    .adam(.constant(rate), beta1: 0, beta2: 0.9)
  }

  /// E ‖x − Dec(E(x))‖².
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .training)
    return Losses(squaredError(batch.images, decoder(codes, mode: .training)))
  }

  /// E[C(G(n))] − E[C(E(x))] + λ E[(‖∇C(ẑ)‖₂ − 1)²], ẑ on the line between a code and a generated code.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)  // [N, latentSize]
    let generated = generator(noise(batch))
    let mix = batch.random.uniform("mix", [codes.shape[0], 1])
    let penalty = gradientPenalty(of: { critic($0) }, at: generated + mix * (codes - generated))
    let distance = critic(codes).mean() - critic(generated).mean()
    return Losses(
      configuration.penaltyWeight * penalty - distance,
      terms: ["distance": distance, "penalty": penalty])
  }

  /// −E[C(G(n))].
  func generatorLoss(_ batch: Batch) -> Losses { Losses(-critic(generator(noise(batch))).mean()) }

  /// E[C(E(x))]: the encoder moves towards the prior, by a much smaller step.
  func encoderLoss(_ batch: Batch) -> Losses {
    Losses(critic(encoder(batch.images, mode: .trainingWithoutTracking)).mean())
  }

  private func noise(_ batch: Batch) -> Tensor {
    batch.random.normal("noise", [batch.images.shape[0], configuration.noiseSize])
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  /// G(n), n ~ N(0, I).
  public var samplers: [Sampler] {
    [Sampler(.prior) { generator($1.normal("noise", [$0, configuration.noiseSize])) }]
  }
}
