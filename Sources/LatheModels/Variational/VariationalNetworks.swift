import LatheNN
import LatheTensors

/// p(x | z).
public enum Likelihood: String, SettingChoice {
  /// Bernoulli, also for grey levels between 0 and 1.
  case crossEntropy = "cross-entropy"
  /// Normal with standard deviation 1.
  case fixedVariance = "fixed-variance"
  /// Normal with one learned standard deviation γ for all pixels.
  case learnedVariance = "learned-variance"

  public static let synonyms: [String: Likelihood] = [
    "bernoulli": .crossEntropy, "gaussian": .fixedVariance,
  ]
}

/// Encoder, decoder and likelihood of a variational autoencoder.
public struct VariationalNetworks: LabelledDecoder {
  /// q(z | x).
  public let encoder: GaussianEncoder
  /// The image that p(x | z) centres on.
  public let decoder: any DecoderNetwork
  public let labels: CodeLabels?
  private let likelihood: Likelihood
  private let logGamma: Parameter?

  /// `contextSize` is the size of what the encoder gives beside its posterior.
  public init(
    _ scope: Scope, images: ImageShape, settings: VariationalSettings, contextSize: Int = 0
  ) {
    let autoencoder = settings.autoencoder
    likelihood = settings.likelihood
    encoder = GaussianEncoder(
      scope("encoder"), images: images, settings: autoencoder, contextSize: contextSize)
    decoder = autoencoder.networks.architecture.decoder(
      scope("decoder"), images: images,
      latentSize: autoencoder.decoderInputSize, size: autoencoder.size)
    labels = CodeLabels(scope("decoder"), size: autoencoder.labelSize)
    logGamma =
      likelihood == .learnedVariance ? scope("decoder").parameter("log_gamma", [1], .zeros) : nil
  }

  /// q(z | x), codes drawn from it and their −log p(x | z), of which a loss is made.
  public func autoencode(_ images: Tensor, using random: RandomSource, mode: Mode) -> (
    posterior: Posterior, codes: Tensor, reconstruction: Tensor
  ) {
    let posterior = encoder(images, mode: mode)
    let codes = posterior.sample(using: random)
    return (posterior, codes, negativeLogLikelihood(images, given: codes, mode: mode))
  }

  /// −log p(x | z), summed over pixels, averaged over the batch, in nats per image.
  ///
  /// With standard deviation γ: Σ ((x − x̂) / γ)² / 2 + log γ + log √(2π). Shapes: `[N, H, W, C]`,
  /// `[N, latentSize]` → a scalar.
  public func negativeLogLikelihood(
    _ images: Tensor, given codes: Tensor, mode: Mode = .training
  ) -> Tensor {
    let decoded = decoded(codes, of: images, mode: mode)
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

  /// log p(x | z) of one image for each code, in inference, in nats. Shapes: `[1, H, W, C]`, `[K,
  /// latentSize]` → `[K]`.
  func logLikelihood(of image: Tensor, given codes: Tensor) -> Tensor {
    likelihood.logDensity(
      of: image, around: decoded(codes, of: image, mode: .inference),
      logGamma: logGamma?.value)
  }
}
