import LatheNN
import LatheTensors

/// Variational autoencoder whose posterior is a normal distribution moved through an inverse
/// autoregressive flow.
///
/// Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", NeurIPS 2016.
/// The flow belongs to the encoder: new images are decoded from N(0, I) as it is.
public struct FlowVAE: VariationalModel {
  public static let name = "vae-flow"
  public static let summary =
    "variational autoencoder with an inverse autoregressive flow posterior"
  public static let source = "Kingma et al. 2016"

  public enum Group: String, ParameterGroup { case encoder, decoder, flow }

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.fixedVariance, latentSize: 32)
    @Setting("K, the number of steps of the flow.", bounds: .within(1...1000))
    public var flowSteps = 2
    @Setting("Widths of the hidden layers of each step's network.", bounds: .oneOrMore(.size()))
    public var flowHidden = [128, 128, 128]
    @Setting(
      "Numbers that the encoder gives the flow beside the posterior; 0: none.",
      bounds: .size(from: 0))
    public var contextSize = 64
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  private let flow: AutoregressiveFlow

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = comparedLatentSize(images)
    return configuration
  }

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  { try configuration.validate(images, latentSizeFrom: 2) }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    let c = configuration
    self.configuration = c
    networks = VariationalNetworks(
      scope, images: images, settings: c.variational, contextSize: c.contextSize)
    flow = AutoregressiveFlow(
      scope("flow"), size: c.latentSize, steps: c.flowSteps, hidden: c.flowHidden,
      contextSize: c.contextSize)
  }

  /// −E[log p(x | z_K)] + E[log q(z_0 | x) − log |det ∂z_K / ∂z_0| − log p(z_K)], z_0 = μ + σ ε.
  public func negativeELBO(_ batch: Batch) -> Losses {
    negativeELBO(batch.images, batch.random, mode: batch.mode)
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
      logNormal(start, mean: posterior.mean, standardDeviation: posterior.standardDeviation).mean()
    let logDeterminant = logDeterminants.mean()
    let logPrior = logNormal(codes).mean()
    return Losses(
      reconstruction + logStart - logDeterminant - logPrior,
      terms: [
        "reconstruction": reconstruction, "logStart": logStart,
        "logDeterminant": logDeterminant, "logPrior": logPrior,
      ])
  }

  /// p(x | z) N(z; 0, I), with z drawn from the flow's posterior.
  public var density: LogDensity? {
    LogDensity(configuration.likelihood, prior: "N(0, I)") { image, draws, random in
      let (one, context) = networks.encoder.withContext(image, mode: .inference)
      let posterior = one.repeated(draws)
      let start = posterior.sample(using: random)
      let contexts = context?.gather([Int](repeating: 0, count: draws))
      let (codes, logDeterminants) = flow(start, context: contexts)
      return networks.logLikelihood(of: image, given: codes) + logNormal(codes)
        - (posterior.logDensity(of: start) - logDeterminants)
    }
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
