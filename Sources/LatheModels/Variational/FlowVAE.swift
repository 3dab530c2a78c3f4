import LatheNN
import LatheTensors

/// Variational autoencoder whose posterior is a normal distribution moved through an inverse autoregressive flow.
///
/// Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", NeurIPS 2016. The flow belongs to the
/// encoder: new images are decoded from N(0, I) as it is.
public struct FlowVAE: VariationalModel {
  public static let name = "vae-flow"
  public static let summary =
    "variational autoencoder with an inverse autoregressive flow posterior"
  public static let source = "Kingma et al. 2016"

  public enum Group: String, ParameterGroup { case encoder, decoder, flow }

  public struct Configuration: VariationalSettings {
    public var likelihood = Likelihood.fixedVariance
    /// K, the number of steps of the flow.
    public var flowSteps = 2
    /// Widths of the hidden layers of each step's network.
    public var flowHidden = [128, 128, 128]
    /// Size of what the encoder tells the flow about an image beside mean and deviation; 0 for nothing.
    public var contextSize = 64
    public var latentSize = 32
    public var networks = AnyArchitecture.flexaeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var learningRate: Float = 2e-4
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  private let flow: AutoregressiveFlow

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = images.channels == 1 ? 32 : 128
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    if c.latentSize == 1 { return "latentSize: expected at least 2 for a flow, found 1" }
    return c.networkError(images)
      ?? sizeError([
        "flowSteps": c.flowSteps, "layers of flowHidden": c.flowHidden.count,
        "flowHidden": c.flowHidden.min() ?? 1,
      ])
      ?? sizeError(["contextSize": c.contextSize], atLeast: 0)
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    let c = configuration
    self.configuration = c
    networks = VariationalNetworks(
      scope, images: images, settings: c, contextSize: c.contextSize)
    flow = AutoregressiveFlow(
      scope("flow"), size: c.latentSize, steps: c.flowSteps, hidden: c.flowHidden,
      contextSize: c.contextSize)
  }

  public var step: [Block<Self>] {
    let rate = Schedule.constant(configuration.learningRate)
    return [
      Block(
        Phase("elbo", updates: [.encoder, .decoder, .flow], by: .adam(rate)) { $0.negativeELBO($1) }
      )
    ]
  }

  /// −E[log p(x | z_K)] + E[log q(z_0 | x) − log |det ∂z_K / ∂z_0| − log p(z_K)], z_0 = μ + σ ε.
  func negativeELBO(_ batch: Batch) -> Losses {
    negativeELBO(batch.images, batch.random, mode: .training)
  }

  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? {
    negativeELBO(images, random, mode: .inference).total
  }

  private func negativeELBO(_ images: Tensor, _ random: RandomSource, mode: Mode) -> Losses {
    let (posterior, context) = networks.encoder.withContext(images, mode: mode)
    let start = posterior.sample(using: random)
    let (codes, logDeterminants) = flow(start, context: context)
    let reconstruction = networks.negativeLogLikelihood(images, given: codes, mode: mode)
    let logStart =
      logNormal(start, mean: posterior.mean, deviation: posterior.deviation).mean()
    let logDeterminant = logDeterminants.mean()
    let logPrior = logNormal(codes).mean()
    return Losses(
      reconstruction + logStart - logDeterminant - logPrior,
      terms: [
        "reconstruction": reconstruction, "logStart": logStart,
        "logDeterminant": logDeterminant, "logPrior": logPrior,
      ])
  }

  /// Where the flow takes the mean of q(z_0 | x).
  public func encode(_ images: Tensor) -> Tensor {
    let (posterior, context) = networks.encoder.withContext(images, mode: .inference)
    return flow(posterior.mean, context: context).codes
  }

  /// z_K, for z_0 ~ q(z_0 | x).
  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    let (posterior, context) = networks.encoder.withContext(images, mode: .inference)
    return flow(posterior.sample(using: random), context: context).codes
  }
}
