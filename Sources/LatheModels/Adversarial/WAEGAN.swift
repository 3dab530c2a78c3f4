import LatheNN
import LatheTensors

/// Wasserstein autoencoder that holds its codes to N(0, I) by a discriminator.
///
/// Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, Algorithm 1; networks (A3), weights
/// and rates as in its released code. With the squared error as cost it is the adversarial
/// autoencoder of Makhzani et al., 2016.
public struct WAEGAN: AutoencoderModel {
  public static let name = "wae-gan"
  public static let summary = "Wasserstein autoencoder, codes held to N(0, I) by a discriminator"
  public static let source = "Tolstikhin et al. 2018"
  public static let takesLabels = true

  public enum Group: String, ParameterGroup { case encoder, decoder, discriminator }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.dcgan, latentSize: 8)
    @Setting("Widths of the discriminator's hidden layers.", bounds: .each(.size())) public
      var discriminatorHidden = [512, 512, 512, 512]
    /// So that the discriminator learns only the density of the codes.
    @Setting("Whether the discriminator's logit starts from log N(z; 0, I).")
    public var priorDensityInLogit = false
    @Setting("Standard deviation of the noise on the input in training.", bounds: .atLeast(0))
    public var inputNoise: Float = 0.01
    @Setting(
      "Weight of the squared error, summed over pixels of images in [0, 1].", bounds: .atLeast(0))
    public var reconstructionWeight: Float = 0.05
    @Setting("λ.", bounds: .atLeast(0)) public var adversarialWeight: Float = 10
    @Setting("Adam's learning rate, β₁ = 0.5.", bounds: .atLeast(0)) public var learningRate:
      Float = 1e-3
    @Setting("Adam's learning rate of the discriminator, β₁ = 0.5.", bounds: .atLeast(0)) public
      var discriminatorRate: Float = 5e-4
    @Setting(
      "Steps from which rates are multiplied by milestoneFactors.", bounds: .each(.atLeast(0)))
    public var milestones: [Int] = []
    @Setting("A factor for each milestone.", bounds: .each(.atLeast(0)))
    public var milestoneFactors: [Float] = []
    @Setting(
      "Steps of an exponential decay to a hundredth, in place of milestones; 0: none.",
      bounds: .atLeast(0)) public var decaySteps = 0
    @Setting(
      "First steps that only match the codes' mean and covariance to the prior's.",
      bounds: .atLeast(0)) public var pretrainingSteps = 0
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
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

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  {
    try configuration.networks.architecture.validate(images)
    try validateMilestones(configuration.milestones, configuration.milestoneFactors)
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
    discriminator = MLP(
      scope("discriminator"), inputs: configuration.latentSize,
      hidden: configuration.discriminatorHidden, outputs: 1,
      initializer: .normal(standardDeviation: 0.01))
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
    let pretrain = Phase<Self>(
      "pretraining", updates: [.encoder], by: .adam(.constant(c.learningRate), beta1: 0.5)
    ) { $0.pretrainingLoss($1) }
    return pretrained(
      by: pretrain, steps: c.pretrainingSteps, then: Block(autoencode, discriminate))
  }

  /// Codes of the batch against draws of N(0, I), by mean and covariance.
  func pretrainingLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(noisyImages(batch), mode: .training)
    let prior = batch.random.normal("prior", codes.shape)
    return LatheModels.pretrainingLoss(batch.gathered(codes), batch.gathered(prior))
  }

  /// 0.05 ‖x − Dec(z)‖² − λ log D(z), z = E(x + ε).
  func autoencoderLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(noisyImages(batch), mode: .training)
    let decoded = networks.decoded(codes, of: batch.images, mode: .training)
    let reconstruction =
      configuration.reconstructionWeight * squaredError(batch.images, decoded)
    let adversarial = softplus(-logits(codes)).mean()
    return Losses(
      reconstruction + configuration.adversarialWeight * adversarial,
      terms: ["reconstruction": reconstruction, "adversarial": adversarial])
  }

  /// −λ (log D(p) + log(1 − D(z))), p ~ N(0, I).
  func discriminatorLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(noisyImages(batch), mode: .trainingWithoutTracking)
    let prior = batch.random.normal("prior", codes.shape)
    let (real, generated) = (softplus(-logits(prior)).mean(), softplus(logits(codes)).mean())
    return Losses(
      configuration.adversarialWeight * (real + generated),
      terms: ["prior": real, "codes": generated])
  }

  /// D(z) before its sigmoid, `[N, 1]`; with the code's constant, −½ ‖z‖² − ½ log 2π, where the
  /// prior's density is in it.
  private func logits(_ codes: Tensor) -> Tensor {
    let learned = discriminator(codes, mode: .training)
    guard configuration.priorDensityInLogit else { return learned }
    return learned - 0.5 * codes.squared.sum(1, keepingDimensions: true) - 0.918_938_53
  }

  private func noisyImages(_ batch: Batch) -> Tensor {
    batch.noisyImages(standardDeviation: configuration.inputNoise)
  }

}
