import Foundation
import LatheNN
import LatheTensors

/// Two variational autoencoders, the second one of the first one's codes.
///
/// Dai and Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019, Section 3; networks (`infogan` and fully connected ones), step and
/// rates as in its released code. A learned deviation makes the first stage reconstruct well while its codes miss N(0, I);
/// the second stage, whose codes have as many dimensions as its data, meets it.
public struct TwoStageVAE: Model {
  public static let name = "two-stage-vae"
  public static let summary = "variational autoencoder, then another one of its codes"
  public static let source = "Dai and Wipf 2019"
  public static let defaultSampler = Sampler.Name.secondStage

  public enum Group: String, ParameterGroup { case encoder, decoder, secondEncoder, secondDecoder }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 64
    public var networks = AnyArchitecture.infogan
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    /// Widths of the second stage's hidden layers, in its encoder and again in its decoder.
    public var secondHidden = [1024, 1024, 1024]
    /// Steps of the first stage; the rest of the run is the second one's.
    public var firstStageSteps = 500
    public var learningRate: Float = 1e-4
    public var secondLearningRate: Float = 1e-4
    /// Steps of a stage after which its learning rate is halved, again and again; 0 for never.
    public var halvingSteps = 0
    public var secondHalvingSteps = 0
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: GaussianEncoder
  private let decoder: any DecoderNetwork
  private let secondEncoder: SkipMLP
  private let secondDecoder: SkipMLP
  /// log γ of the pixels and of the codes.
  private let logGamma, logSecondGamma: Parameter

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.firstStageSteps = max(1, steps / 2)
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError([
        "latentSize": c.latentSize,
        "secondHidden": c.secondHidden.min() ?? 1, "firstStageSteps": c.firstStageSteps,
      ])
      ?? sizeError(
        [
          "filters": c.filters, "hiddenSize": c.hiddenSize, "halvingSteps": c.halvingSteps,
          "secondHalvingSteps": c.secondHalvingSteps,
        ], atLeast: 0)
      ?? rateError([
        "learningRate": c.learningRate, "secondLearningRate": c.secondLearningRate,
      ])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = GaussianEncoder(
      scope("encoder"), networks, images: images, latentSize: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    logGamma = scope("decoder").parameter("log_gamma", [1], .zeros)
    let hidden = configuration.secondHidden
    secondEncoder = SkipMLP(scope("secondEncoder"), inputs: m, hidden: hidden, outputs: 2 * m)
    secondDecoder = SkipMLP(scope("secondDecoder"), inputs: m, hidden: hidden, outputs: m)
    logSecondGamma = scope("secondDecoder").parameter("log_gamma", [1], .zeros)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let first = Phase<Self>(
      "first stage", updates: [.encoder, .decoder],
      by: .adam(.halving(c.learningRate, every: c.halvingSteps))
    ) { $0.firstNegativeELBO($1) }
    let second = Phase<Self>(
      "second stage", updates: [.secondEncoder, .secondDecoder],
      by: .adam(
        .halving(c.secondLearningRate, every: c.secondHalvingSteps, from: c.firstStageSteps))
    ) { $0.secondNegativeELBO($1) }
    return [
      Block(first).during(0..<c.firstStageSteps), Block(second).during(c.firstStageSteps..<Int.max),
    ]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)), z ~ q(z | x).
  func firstNegativeELBO(_ batch: Batch) -> Losses {
    let posterior = encoder(batch.images, mode: .training)
    let codes = posterior.sample(batch.random.normal("posterior", posterior.mean.shape))
    let decoded = decoder(codes, mode: .training)
    return negativeELBO(batch.images, decoded, logGamma, posterior)
  }

  /// −E[log p(z | u)] + KL(q(u | z) ‖ N(0, I)), u ~ q(u | z), for codes z that the first stage, held still, draws anew.
  func secondNegativeELBO(_ batch: Batch) -> Losses {
    let codes = sampleCodes(of: batch.images, using: batch.random)
    let posterior = secondPosterior(codes)
    let inner = posterior.sample(batch.random.normal("second posterior", codes.shape))
    return negativeELBO(codes, secondDecoder(inner, mode: .training), logSecondGamma, posterior)
  }

  /// q(u | z).
  private func secondPosterior(_ codes: Tensor) -> Posterior {
    let (m, both) = (configuration.latentSize, secondEncoder(codes, mode: .training))
    return Posterior(
      mean: both.slice(0..<m, axis: 1), deviation: exp(both.slice(m..<2 * m, axis: 1)))
  }

  /// Reconstruction, Σ ((x − x̂) / γ)² / 2 + log γ + log √(2π), and KL, in nats per image.
  private func negativeELBO(
    _ x: Tensor, _ decoded: Tensor, _ logGamma: Parameter, _ posterior: Posterior
  ) -> Losses {
    let size = Float(x.shape.count / x.shape[0])
    let logGamma = logGamma.value.reshaped(to: [])
    let reconstruction =
      0.5 * squaredError(x, decoded) * exp(-2 * logGamma) + size * (logGamma + 0.918_938_53)
    let kl = normalKL(mean: posterior.mean, deviation: posterior.deviation)
    return Losses(
      reconstruction + kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }

  public func encode(_ images: Tensor) -> Tensor { encoder(images, mode: .inference).mean }

  /// z ~ q(z | x).
  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    let posterior = encoder(images, mode: .inference)
    return posterior.sample(random.normal("posterior", posterior.mean.shape))
  }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  /// From a sampled code, not from the mean, as Dai and Wipf do.
  public func reconstruct(_ images: Tensor, using random: RandomSource) -> Tensor {
    decode(sampleCodes(of: images, using: random))
  }

  /// z ~ p(z | u), u ~ N(0, I), of the second stage; or z ~ N(0, I), as if there were none.
  public var samplers: [Sampler] {
    let m = configuration.latentSize
    let second = Sampler(.secondStage) { count, random in
      let mean = secondDecoder(random.normal("second prior", [count, m]), mode: .inference)
      let gamma = exp(logSecondGamma.value.reshaped(to: []))
      return mean + gamma * random.normal("second noise", [count, m])
    }
    return [second, .standardNormal(latentSize: m)]
  }
}

/// Fully connected layers with ReLU whose last one sees the input beside them: W [x, h(x)] + b.
struct SkipMLP {
  private let layers: [Linear]
  private let output: Linear

  /// Shapes: `[N, inputs]` → `[N, outputs]`.
  init(_ scope: Scope, inputs: Int, hidden: [Int], outputs: Int) {
    let widths = [inputs] + hidden
    layers = hidden.indices.map {
      Linear(
        scope("layer\($0)"), inputs: widths[$0], outputs: hidden[$0],
        initializer: .normal(deviation: 0.02))
    }
    output = Linear(
      scope("output"), inputs: inputs + (hidden.last ?? 0), outputs: outputs,
      initializer: .normal(deviation: 0.02))
  }

  func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
    guard !layers.isEmpty else { return output(x, mode: mode) }
    let features = layers.reduce(x) { $1($0, mode: mode, relu: true) }
    return output(concatenated([x, features], axis: 1), mode: mode)
  }
}
