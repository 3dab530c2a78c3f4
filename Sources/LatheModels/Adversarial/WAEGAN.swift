import LatheNN
import LatheTensors

/// Wasserstein autoencoder that holds its codes to N(0, I) by a discriminator.
///
/// Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, Algorithm 1; networks (`dcgan`), weights and rates as in its
/// released code. With the squared error as cost it is the adversarial autoencoder of Makhzani et al., 2016.
public struct WAEGAN: Model {
  public static let name = "wae-gan"
  public static let summary = "Wasserstein autoencoder, codes held to N(0, I) by a discriminator"
  public static let source = "Tolstikhin et al. 2018"

  public enum Group: String, ParameterGroup { case encoder, decoder, discriminator }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 8
    public var networks = AnyArchitecture.dcgan
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var discriminatorHidden = [512, 512, 512, 512]
    /// Whether the discriminator's logit starts from log N(z; 0, I), so that it learns only the density of the codes.
    public var priorDensityInLogit = false
    /// Standard deviation of the noise on the input in training.
    public var inputNoise: Float = 0.01
    /// Weight on the squared error summed over pixels, images in [0, 1].
    public var reconstructionWeight: Float = 0.05
    /// λ.
    public var adversarialWeight: Float = 10
    /// Adam's rates, β₁ = 0.5.
    public var learningRate: Float = 1e-3
    public var discriminatorRate: Float = 5e-4
    /// Steps from which both rates are multiplied by the factor at the same place.
    public var milestones: [Int] = []
    public var milestoneFactors: [Float] = []
    /// Steps in which both rates fall steadily to a hundredth, in place of milestones; 0 for none.
    public var decaySteps = 0
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork
  private let discriminator: MLP

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 8 : 64
    guard images.height >= 64 else { return configuration }
    configuration.discriminatorHidden = [1024, 1024, 1024, 1024]
    configuration.priorDensityInLogit = true
    // 0.01 and 0.05 of images in [−1, 1].
    configuration.inputNoise = 0.005
    configuration.reconstructionWeight = 0.2
    configuration.adversarialWeight = 1
    configuration.learningRate = 3e-4
    configuration.discriminatorRate = 1e-3
    configuration.decaySteps = steps
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError([
        "latentSize": c.latentSize,
        "discriminatorHidden": c.discriminatorHidden.min() ?? 1,
      ])
      ?? sizeError(
        ["filters": c.filters, "hiddenSize": c.hiddenSize, "decaySteps": c.decaySteps], atLeast: 0)
      ?? rateError([
        "inputNoise": c.inputNoise, "reconstructionWeight": c.reconstructionWeight,
        "adversarialWeight": c.adversarialWeight, "learningRate": c.learningRate,
        "discriminatorRate": c.discriminatorRate,
      ]) ?? milestoneError(c.milestones, c.milestoneFactors)
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = networks.encoder(scope("encoder"), images: images, outputs: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    discriminator = MLP(
      scope("discriminator"), inputs: m, hidden: configuration.discriminatorHidden, outputs: 1,
      initializer: .normal(deviation: 0.01))
  }

  public var step: [Block<Self>] {
    let c = configuration
    func adam(_ rate: Float) -> OptimizerRule {
      .adam(
        wassersteinSchedule(
          rate, milestones: c.milestones, factors: c.milestoneFactors, decaySteps: c.decaySteps),
        beta1: 0.5)
    }
    let autoencode = Phase<Self>(
      "autoencoder", updates: [.encoder, .decoder], by: adam(c.learningRate)
    ) { $0.autoencoderLoss($1) }
    let discriminate = Phase<Self>(
      "discriminator", updates: [.discriminator], by: adam(c.discriminatorRate)
    ) { $0.discriminatorLoss($1) }
    return [Block(autoencode, discriminate)]
  }

  /// 0.05 ‖x − Dec(z)‖² − λ log D(z), z = E(x + ε).
  func autoencoderLoss(_ batch: Batch) -> Losses {
    let codes = encoder(noisyImages(batch), mode: .training)
    let decoded = decoder(codes, mode: .training)
    let reconstruction =
      configuration.reconstructionWeight * squaredError(batch.images, decoded)
    let adversarial = softplus(-logits(codes, mode: .trainingWithoutTracking)).mean()
    return Losses(
      reconstruction + configuration.adversarialWeight * adversarial,
      terms: ["reconstruction": reconstruction, "adversarial": adversarial])
  }

  /// −λ (log D(p) + log(1 − D(z))), p ~ N(0, I).
  func discriminatorLoss(_ batch: Batch) -> Losses {
    let codes = encoder(noisyImages(batch), mode: .trainingWithoutTracking)
    let prior = batch.random.normal("prior", codes.shape)
    let (real, generated) = (
      softplus(-logits(prior, mode: .training)).mean(),
      softplus(logits(codes, mode: .training)).mean()
    )
    return Losses(
      configuration.adversarialWeight * (real + generated),
      terms: ["prior": real, "codes": generated])
  }

  /// D(z) before its sigmoid, `[N, 1]`; with the code's constant, −½ ‖z‖² − ½ log 2π, where the prior's density is in it.
  private func logits(_ codes: Tensor, mode: Mode) -> Tensor {
    let learned = discriminator(codes, mode: mode)
    guard configuration.priorDensityInLogit else { return learned }
    return learned - 0.5 * codes.squared.sum(1, keepingDimensions: true) - 0.918_938_53
  }

  private func noisyImages(_ batch: Batch) -> Tensor {
    batch.noisyImages(deviation: configuration.inputNoise)
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }
}
