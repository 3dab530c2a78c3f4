import LatheNN
import LatheTensors

/// Wasserstein autoencoder that holds its codes to N(0, I) by maximum mean discrepancy.
///
/// Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR 2018, Algorithm 2; networks (`dcgan`), kernels, weights and rates as in
/// its released code.
public struct WAEMMD: Model {
  public static let name = "wae-mmd"
  public static let summary = "Wasserstein autoencoder, codes held to N(0, I) by a kernel"
  public static let source = "Tolstikhin et al. 2018"

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 8
    public var networks = AnyArchitecture.dcgan
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    /// Standard deviation of the noise on the input in training.
    public var inputNoise: Float = 0.01
    public var kernel = MMDKernel.inverseMultiquadratic
    /// Weight on the squared error summed over pixels, images in [0, 1].
    public var reconstructionWeight: Float = 0.05
    /// λ.
    public var discrepancyWeight: Float = 10
    /// Adam's rate, β₁ = 0.5.
    public var learningRate: Float = 1e-3
    /// Steps from which the rate is multiplied by the factor at the same place.
    public var milestones: [Int] = []
    public var milestoneFactors: [Float] = []
    /// Steps in which the rate falls steadily to a hundredth, in place of milestones; 0 for none.
    public var decaySteps = 0
    /// First steps that only bring the codes' mean and covariance near the prior's.
    public var pretrainingSteps = 0
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 8 : 64
    guard images.height >= 64 else { return configuration }
    // 0.01 and 0.05 of images in [−1, 1].
    configuration.inputNoise = 0.005
    configuration.reconstructionWeight = 0.2
    configuration.discrepancyWeight = 100
    configuration.decaySteps = steps
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError(["latentSize": c.latentSize])
      ?? sizeError(
        [
          "filters": c.filters, "hiddenSize": c.hiddenSize, "decaySteps": c.decaySteps,
          "pretrainingSteps": c.pretrainingSteps,
        ], atLeast: 0)
      ?? rateError([
        "inputNoise": c.inputNoise, "reconstructionWeight": c.reconstructionWeight,
        "discrepancyWeight": c.discrepancyWeight, "learningRate": c.learningRate,
      ]) ?? milestoneError(c.milestones, c.milestoneFactors)
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = networks.encoder(scope("encoder"), images: images, outputs: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
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
    guard c.pretrainingSteps > 0 else { return [Block(autoencode)] }
    let pretrain = Phase<Self>(
      "pretraining", updates: [.encoder], by: .adam(.constant(c.learningRate), beta1: 0.5)
    ) { $0.pretrainingLoss($1) }
    return [
      Block(pretrain).during(0..<c.pretrainingSteps),
      Block(autoencode).during(c.pretrainingSteps..<Int.max),
    ]
  }

  /// 0.05 ‖x − Dec(E(x + ε))‖² + λ MMD(E(x + ε), p), p ~ N(0, I).
  func autoencoderLoss(_ batch: Batch) -> Losses {
    let codes = encodeNoisy(batch)
    let decoded = decoder(codes, mode: .training)
    let reconstruction =
      configuration.reconstructionWeight * squaredError(batch.images, decoded)
    let mmd = maximumMeanDiscrepancy(
      batch.gathered(codes), batch.gathered(prior(batch)), kernel: configuration.kernel)
    return Losses(
      reconstruction + configuration.discrepancyWeight * mmd,
      terms: ["reconstruction": reconstruction, "mmd": mmd])
  }

  /// Mean squared differences of the entries of mean and covariance, codes against prior draws.
  func pretrainingLoss(_ batch: Batch) -> Losses {
    let (q, p) = (batch.gathered(encodeNoisy(batch)), batch.gathered(prior(batch)))
    let means = (q.mean(0) - p.mean(0)).squared.mean()
    let covariances = (covariance(q) - covariance(p)).squared.mean()
    return Losses(means + covariances, terms: ["means": means, "covariances": covariances])
  }

  private func encodeNoisy(_ batch: Batch) -> Tensor {
    encoder(batch.noisyImages(deviation: configuration.inputNoise), mode: .training)
  }

  private func prior(_ batch: Batch) -> Tensor {
    batch.random.normal("prior", [batch.images.shape[0], configuration.latentSize])
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }
}

/// Sample covariance of rows. Shapes: `[n, m]`, n ≥ 2 → `[m, m]`.
private func covariance(_ rows: Tensor) -> Tensor {
  let centred = rows - rows.mean(0, keepingDimensions: true)
  return matmul(centred, centred, transposeFirst: true) / Float(rows.shape[0] - 1)
}
