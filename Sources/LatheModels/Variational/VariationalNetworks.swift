import LatheNN
import LatheTensors

/// p(x | z).
public enum Likelihood: String, Codable, Sendable, CaseIterable {
  /// Bernoulli, also for grey levels between 0 and 1.
  case crossEntropy = "cross-entropy"
  /// Normal with deviation 1.
  case fixedVariance = "fixed-variance"
  /// Normal with one learned deviation γ for all pixels.
  case learnedVariance = "learned-variance"
}

/// Encoder, decoder and likelihood of a variational autoencoder.
public struct VariationalNetworks {
  /// q(z | x).
  public let encoder: GaussianEncoder
  /// The image that p(x | z) centres on.
  public let decoder: any DecoderNetwork
  private let likelihood: Likelihood
  private let logGamma: Parameter?

  /// `contextSize` is the size of what the encoder gives beside its posterior.
  public init(
    _ scope: Scope, images: ImageShape, settings: some VariationalSettings, contextSize: Int = 0
  ) {
    let size = NetworkSize(filters: settings.filters, hiddenSize: settings.hiddenSize)
    likelihood = settings.likelihood
    encoder = GaussianEncoder(
      scope("encoder"), settings.networks, images: images, latentSize: settings.latentSize,
      size: size, contextSize: contextSize)
    decoder = settings.networks.decoder(
      scope("decoder"), images: images, latentSize: settings.latentSize, size: size)
    logGamma =
      likelihood == .learnedVariance ? scope("decoder").parameter("log_gamma", [1], .zeros) : nil
  }

  /// −log p(x | z), summed over pixels, averaged over the batch, in nats per image.
  ///
  /// With deviation γ: Σ ((x − x̂) / γ)² / 2 + log γ + log √(2π). Shapes: `[N, H, W, C]`, `[N, latentSize]` → a scalar.
  public func negativeLogLikelihood(
    _ images: Tensor, given codes: Tensor, mode: Mode = .training
  ) -> Tensor {
    let decoded = decoder(codes, mode: mode)
    let pixels = Float(images.shape.count / images.shape[0])
    let constant = pixels * 0.918_938_53
    switch likelihood {
    case .crossEntropy: return crossEntropy(images, probability: decoded)
    case .fixedVariance: return 0.5 * squaredError(images, decoded) + constant
    case .learnedVariance:
      let logGamma = logGamma!.value.reshaped(to: [])
      return 0.5 * squaredError(images, decoded) * exp(-2 * logGamma) + pixels * logGamma + constant
    }
  }
}

/// Hyperparameters that every variational autoencoder has.
public protocol VariationalSettings: Codable, Sendable {
  var likelihood: Likelihood { get }
  var latentSize: Int { get }
  var networks: AnyArchitecture { get }
  /// Widths of encoder and decoder (``NetworkSize``).
  var filters: Int { get }
  var hiddenSize: Int { get }
  var learningRate: Float { get }
}

extension VariationalSettings {
  /// Why networks of these settings cannot be built, if they cannot.
  func networkError(_ images: ImageShape) -> String? {
    networks.validationError(for: images)
      ?? sizeError(["latentSize": latentSize])
      ?? sizeError(["filters": filters, "hiddenSize": hiddenSize], atLeast: 0)
      ?? rateError(["learningRate": learningRate])
  }
}

/// A variational autoencoder: what its networks do outside of training.
public protocol VariationalModel: Model where Configuration: VariationalSettings {
  var networks: VariationalNetworks { get }
  var configuration: Configuration { get }
}

extension VariationalModel {
  /// The mean of q(z | x).
  public func encode(_ images: Tensor) -> Tensor { networks.encoder(images, mode: .inference).mean }

  /// z ~ q(z | x).
  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    networks.encoder(images, mode: .inference).sample(using: random)
  }

  public func decode(_ codes: Tensor) -> Tensor { networks.decoder(codes, mode: .inference) }

  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)).
  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? {
    let posterior = networks.encoder(images, mode: .inference)
    let codes = posterior.sample(using: random)
    return networks.negativeLogLikelihood(images, given: codes, mode: .inference)
      + posterior.kl
  }
}
