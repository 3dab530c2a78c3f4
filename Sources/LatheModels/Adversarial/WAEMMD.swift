import LatheNN
import LatheTensors

/// Wasserstein autoencoder that holds its codes to N(0, I) by maximum mean discrepancy.
///
/// Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, Algorithm 2; networks (A3), kernels,
/// weights and rates as in its released code.
public struct WAEMMD: AutoencoderModel {
  public static let name = "wae-mmd"
  public static let summary = "Wasserstein autoencoder, codes held to N(0, I) by a kernel"
  public static let source = "Tolstikhin et al. 2018"
  public static let takesLabels = true

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.dcgan, latentSize: 8)
    @Setting("Standard deviation of the noise on the input in training.", bounds: .atLeast(0))
    public var inputNoise: Float = 0.01
    @Setting(
      "Weight of the squared error, summed over pixels of images in [0, 1].", bounds: .atLeast(0))
    public var reconstructionWeight: Float = 0.05
    @Setting("The kernel of MMD.") public var kernel = MMDKernel.inverseMultiquadratic
    @Setting("λ, the weight of MMD.", bounds: .atLeast(0), formerly: "discrepancyWeight")
    public var mmdWeight: Float = 10
    @Setting("Adam's learning rate, β₁ = 0.5.", bounds: .atLeast(0)) public var learningRate:
      Float = 1e-3
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

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 8 : 64
    guard images.height >= 64 else { return configuration }
    // 0.01 and 0.05 of images in [−1, 1].
    configuration.inputNoise = 0.005
    configuration.reconstructionWeight = 0.2
    configuration.mmdWeight = 100
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
  }

  public var step: [Block<Self>] {
    let c = configuration
    let autoencode = Phase<Self>(
      "autoencoder", updates: [.encoder, .decoder],
      by: .adam(
        wassersteinSchedule(
          c.learningRate, milestones: c.milestones, factors: c.milestoneFactors,
          decaySteps: c.decaySteps), beta1: 0.5)
    ) { $0.autoencoderLoss($1) }
    let pretrain = Phase<Self>(
      "pretraining", updates: [.encoder], by: .adam(.constant(c.learningRate), beta1: 0.5)
    ) { $0.pretrainingLoss($1) }
    return pretrained(by: pretrain, steps: c.pretrainingSteps, then: Block(autoencode))
  }

  /// 0.05 ‖x − Dec(E(x + ε))‖² + λ MMD(E(x + ε), p), p ~ N(0, I).
  func autoencoderLoss(_ batch: Batch) -> Losses {
    let codes = encodeNoisy(batch)
    let decoded = networks.decoded(codes, of: batch.images, mode: batch.mode)
    let reconstruction =
      configuration.reconstructionWeight * squaredError(batch.images, decoded)
    let mmd = maximumMeanDiscrepancy(
      batch.gathered(codes), batch.gathered(prior(batch)), kernel: configuration.kernel)
    return Losses(
      reconstruction + configuration.mmdWeight * mmd,
      terms: ["reconstruction": reconstruction, "mmd": mmd])
  }

  public func objective(_ batch: Batch) -> Tensor? { autoencoderLoss(batch).total }

  /// Codes of the batch against draws of N(0, I), by mean and covariance.
  func pretrainingLoss(_ batch: Batch) -> Losses {
    LatheModels.pretrainingLoss(
      batch.gathered(encodeNoisy(batch)), batch.gathered(prior(batch)))
  }

  private func encodeNoisy(_ batch: Batch) -> Tensor {
    networks.encoder(
      batch.noisyImages(standardDeviation: configuration.inputNoise), mode: batch.mode)
  }

  private func prior(_ batch: Batch) -> Tensor {
    batch.random.normal("prior", [batch.images.shape[0], configuration.latentSize])
  }

}
