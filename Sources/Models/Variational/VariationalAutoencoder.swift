import Datasets
import Layers
import Optimizers
import Tensors

/// Variational auto-encoder with one of three likelihoods.
///
/// Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014. The likelihoods, networks (A4) and optimizer
/// are those of Dai and Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019, and its released code; that code has
/// no fixed variance, which here is the learned one held at γ = 1.
public struct VariationalAutoencoder: Model {
  public static let name = "vae"
  public static let summary = "variational auto-encoder: cross-entropy, fixed or learned variance"
  public static let source = "Kingma and Welling 2014; Dai and Wipf 2019"

  public enum Group: String, ParameterGroup { case encoder, decoder }

  /// p(x | z).
  public enum Likelihood: String, Codable, Sendable, CaseIterable {
    /// Bernoulli, also for grey levels between 0 and 1.
    case crossEntropy = "cross-entropy"
    /// Normal with deviation 1.
    case fixedVariance = "fixed-variance"
    /// Normal with one learned deviation γ for all pixels.
    case learnedVariance = "learned-variance"
  }

  public struct Configuration: Codable, Sendable {
    public var likelihood = Likelihood.learnedVariance
    public var latentSize = 64
    public var networks = NetworkFamily.a4
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var learningRate: Float = 1e-4
    /// Steps after which the learning rate is halved, again and again; 0 for never.
    public var halvingSteps = 0
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: GaussianEncoder
  private let decoder: any DecoderNetwork
  private let logGamma: Parameter?

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    Configuration()
  }

  public static func problem(with configuration: Configuration, images: ImageShape) -> String? {
    let c = configuration
    return c.networks.problem(images)
      ?? sizeProblem([
        "latentSize": c.latentSize, "filters": c.filters + 1, "hiddenSize": c.hiddenSize + 1,
        "halvingSteps": c.halvingSteps + 1,
      ]) ?? rateProblem(["learningRate": c.learningRate])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = GaussianEncoder(
      scope("encoder"), networks, images: images, latentSize: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    logGamma =
      configuration.likelihood == .learnedVariance
      ? scope("decoder").parameter("log_gamma", [1], .zeros) : nil
  }

  public var step: [Block<Self>] {
    let rate = configuration.learningRate
    let halving = configuration.halvingSteps
    let schedule =
      halving == 0
      ? Schedule.constant(rate) : .staircase(rate, factor: 0.5, every: halving)
    return [
      Block(Phase("elbo", updates: [.encoder, .decoder], by: .adam(schedule)) { $0.bound($1) })
    ]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)), z = μ + σ ε (Kingma and Welling, Eqs. 8 and 10).
  func bound(_ batch: Batch) -> Losses {
    let posterior = encoder(batch.images, mode: .training)
    let codes = posterior.sample(batch.random.normal("posterior", posterior.mean.shape))
    let reconstruction = negativeLogLikelihood(batch.images, decoder(codes, mode: .training))
    let divergence = normalDivergence(mean: posterior.mean, deviation: posterior.deviation)
    return Losses(
      reconstruction + divergence,
      terms: ["reconstruction": reconstruction, "divergence": divergence])
  }

  /// −log p(x | z), summed over pixels, averaged over the batch, in nats per image.
  ///
  /// With deviation γ: Σ ((x − x̂) / γ)² / 2 + log γ + log √(2π).
  private func negativeLogLikelihood(_ images: Tensor, _ decoded: Tensor) -> Tensor {
    let pixels = Float(images.shape.count / images.shape[0])
    let constant = pixels * 0.918_938_53
    switch configuration.likelihood {
    case .crossEntropy: return crossEntropy(images, probability: decoded)
    case .fixedVariance: return 0.5 * squaredError(images, decoded) + constant
    case .learnedVariance:
      let logGamma = logGamma!.value.reshaped(to: [])
      return 0.5 * squaredError(images, decoded) * exp(-2 * logGamma) + pixels * logGamma + constant
    }
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference).mean }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }

  /// z ~ q(z | x).
  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    let posterior = encoder(images, mode: .inference)
    return posterior.sample(random.normal("posterior", posterior.mean.shape))
  }

  /// From a sampled code, not from the mean, as Dai and Wipf do.
  public func reconstruct(_ images: Tensor, using random: RandomSource) -> Tensor {
    decode(sampleCodes(of: images, using: random))
  }
}
