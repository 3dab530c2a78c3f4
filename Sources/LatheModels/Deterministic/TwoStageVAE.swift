import Foundation
import LatheNN
import LatheTensors

/// Two variational autoencoders, the second one of the first one's codes.
///
/// Dai and Wipf, "Diagnosing and Enhancing VAE Models", ICLR 2019, Section 3; networks (A4 and
/// fully connected ones), step and rates as in its released code. A learned standard deviation
/// makes the first stage reconstruct well while its codes miss N(0, I); the second stage, whose
/// codes have as many dimensions as its data, meets it.
public struct TwoStageVAE: Model {
  public static let name = "two-stage-vae"
  public static let summary = "variational autoencoder, then another one of its codes"
  public static let source = "Dai and Wipf 2019"
  public static let defaultSampler = Sampler.Name.secondStage

  public enum Group: String, ParameterGroup { case encoder, decoder, secondEncoder, secondDecoder }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.infogan, latentSize: 64)
    @Setting(
      "Widths of the second stage's hidden layers, in encoder and decoder.",
      bounds: .each(.size())) public var secondHidden = [1024, 1024, 1024]
    @Setting("Steps of the first stage; the rest is the second one's.", bounds: .atLeast(1)) public
      var firstStageSteps = 500
    @Setting("Adam's learning rate of the first stage.", bounds: .atLeast(0)) public
      var learningRate: Float = 1e-4
    @Setting("Adam's learning rate of the second stage.", bounds: .atLeast(0)) public
      var secondLearningRate: Float = 1e-4
    @Setting(
      "Steps after which the learning rate is halved, each time; 0: never.", bounds: .atLeast(0))
    public var halvingSteps = 0
    @Setting("The same for the second stage, counted from its start.", bounds: .atLeast(0)) public
      var secondHalvingSteps = 0
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

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, settings) = (configuration.latentSize, configuration.autoencoder)
    encoder = GaussianEncoder(scope("encoder"), images: images, settings: settings)
    decoder = settings.networks.architecture.decoder(
      scope("decoder"), images: images, latentSize: m, size: settings.size)
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
      by: .adam(.stepDecay(c.learningRate, every: c.halvingSteps))
    ) { $0.firstNegativeELBO($1) }
    let second = Phase<Self>(
      "second stage", updates: [.secondEncoder, .secondDecoder],
      by: .adam(
        .stepDecay(c.secondLearningRate, every: c.secondHalvingSteps, from: c.firstStageSteps))
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

  /// −E[log p(z | u)] + KL(q(u | z) ‖ N(0, I)), u ~ q(u | z), for codes z that the first stage,
  /// held still, draws again.
  func secondNegativeELBO(_ batch: Batch) -> Losses {
    let codes = sampleCodes(of: batch.images, using: batch.random)
    let posterior = secondPosterior(codes)
    let inner = posterior.sample(batch.random.normal("second posterior", codes.shape))
    return negativeELBO(codes, secondDecoder(inner), logSecondGamma, posterior)
  }

  /// q(u | z).
  private func secondPosterior(_ codes: Tensor) -> Posterior {
    let (m, both) = (configuration.latentSize, secondEncoder(codes))
    return Posterior(
      mean: both.slice(0..<m, axis: 1), standardDeviation: exp(both.slice(m..<2 * m, axis: 1)))
  }

  /// Reconstruction, Σ ((x − x̂) / γ)² / 2 + log γ + log √(2π), and KL, in nats per image.
  private func negativeELBO(
    _ x: Tensor, _ decoded: Tensor, _ logGamma: Parameter, _ posterior: Posterior
  ) -> Losses {
    let size = Float(x.shape.count / x.shape[0])
    let logGamma = logGamma.value.reshaped(to: [])
    let reconstruction =
      0.5 * squaredError(x, decoded) * exp(-2 * logGamma) + size * (logGamma + 0.918_938_53)
    let kl = posterior.kl
    return Losses(
      reconstruction + kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }

  /// p(x | z) p(z | u) N(u; 0, I), with z ~ q(z | x) and u ~ q(u | z).
  public var density: LogDensity? {
    LogDensity(.learnedVariance, prior: "the second stage's, p(z | u) N(u; 0, I)") {
      image, draws, random in
      let first = encoder(image, mode: .inference).repeated(draws)
      let codes = first.sample(random.normal("posterior", first.mean.shape))
      let second = secondPosterior(codes)
      let inner = second.sample(random.normal("second posterior", codes.shape))
      let gamma = exp(logSecondGamma.value.reshaped(to: [1, 1])).broadcast(to: codes.shape)
      let prior = Posterior(mean: secondDecoder(inner), standardDeviation: gamma)
      let logLikelihood = Likelihood.learnedVariance.logDensity(
        of: image, around: decoder(codes, mode: .inference), logGamma: logGamma.value)
      return logLikelihood + prior.logDensity(of: codes) + logNormal(inner)
        - first.logDensity(of: codes) - second.logDensity(of: inner)
    }
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
      let mean = secondDecoder(random.normal("second prior", [count, m]))
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
        initializer: .normal(standardDeviation: 0.02))
    }
    output = Linear(
      scope("output"), inputs: inputs + (hidden.last ?? 0), outputs: outputs,
      initializer: .normal(standardDeviation: 0.02))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    guard !layers.isEmpty else { return output(x, mode: .training) }
    let features = layers.reduce(x) { $1($0, mode: .training, relu: true) }
    return output(concatenated([x, features], axis: 1), mode: .training)
  }
}
