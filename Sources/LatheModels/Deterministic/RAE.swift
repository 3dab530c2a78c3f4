import LatheNN
import LatheTensors

/// RAE: an autoencoder with small codes and a smooth decoder, from whose codes a mixture is drawn.
///
/// Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, Eq. 4 and Section 3; the terms' exact form, networks
/// (`rae-conv`), weights and rates as in its released code.
public struct RAE: Model {
  public static let name = "rae"
  public static let summary =
    "regularized autoencoder: decoder smoothed by l2, gradient penalty, spectral norm or not"
  public static let source = "Ghosh et al. 2020"
  public static let defaultSampler = Sampler.Name.gmm

  public enum Group: String, ParameterGroup { case encoder, decoder }

  /// What keeps the decoder smooth.
  public enum Regularization: String, Codable, Sendable, CaseIterable {
    /// Decay of its kernels.
    case l2
    /// A penalty on the gradient of its output.
    case gradientPenalty = "gp"
    /// Spectrally normalised layers of the decoder. The released code normalises the encoder, too,
    /// unless told otherwise (`spec_norm_on_dec_only`); the paper's Section 3.1 asks for the decoder.
    case spectralNorm = "sn"
    /// Nothing but what batch norm does.
    case none
  }

  public struct Configuration: Codable, Sendable {
    public var regularization = Regularization.l2
    public var latentSize = 16
    public var networks = AnyArchitecture.raeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    /// β, of the mean square of a code's coordinates.
    public var codeWeight: Float = 1e-4
    /// λ of `l2`, of the sum of the decoder's squared kernels.
    public var decayWeight: Float = 1e-7
    /// λ of `gp`.
    public var penaltyWeight: Float = 5e-8
    public var learningRate: Float = 5e-4
    /// Steps after which the learning rate is halved, again and again; 0 for never.
    public var halvingSteps = 0
    public init() {}
  }

  private let configuration: Configuration
  private let networks: EncoderDecoder

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = publishedLatentSize(images)
    let (isGrey, isLarge) = (images.channels == 1, images.height >= 64)
    configuration.codeWeight = isGrey || isLarge ? 1e-4 : 1e-3
    configuration.decayWeight = isLarge || isGrey ? 1e-7 : 1e-6
    configuration.penaltyWeight = isGrey ? 5e-8 : 1e-7
    configuration.learningRate = isLarge ? 1e-3 : 5e-4
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError(["latentSize": c.latentSize])
      ?? sizeError(
        ["filters": c.filters, "hiddenSize": c.hiddenSize, "halvingSteps": c.halvingSteps],
        atLeast: 0)
      ?? rateError([
        "codeWeight": c.codeWeight, "decayWeight": c.decayWeight, "penaltyWeight": c.penaltyWeight,
        "learningRate": c.learningRate,
      ])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = EncoderDecoder(
      scope, configuration.networks, images: images, latentSize: configuration.latentSize,
      size: NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize),
      spectrallyNormalizedDecoder: configuration.regularization == .spectralNorm)
  }

  public var step: [Block<Self>] {
    let rate = Schedule.halving(configuration.learningRate, every: configuration.halvingSteps)
    return [
      Block(
        Phase("reconstruction", updates: [.encoder, .decoder], by: .adam(rate, epsilon: 1e-7)) {
          $0.loss($1)
        })
    ]
  }

  /// mean (x − Dec(z))² + β mean z² + λ R, z = E(x), means over all elements.
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .training)
    let decoded = networks.decoder(codes, mode: .training)
    let error = meanSquaredError(batch.images, decoded)
    let size = codes.squared.mean()
    let plain = error + configuration.codeWeight * size
    switch configuration.regularization {
    case .l2:
      let decay = networks.squaredKernels
      return Losses(
        plain + configuration.decayWeight * decay,
        terms: ["reconstruction": error, "codes": size, "squared kernels": decay])
    case .gradientPenalty:
      let penalty = gradientPenalty(decoded, codes)
      return Losses(
        plain + configuration.penaltyWeight * penalty,
        terms: ["reconstruction": error, "codes": size, "penalty": penalty])
    case .spectralNorm, .none:
      return Losses(plain, terms: ["reconstruction": error, "codes": size])
    }
  }

  /// mean (∂/∂z Σ Dec(z)²)², the sum over all outputs of the batch, the mean over images and coordinates.
  ///
  /// As in the released code; the paper's Eq. 8 has ‖∇ Dec(z)‖².
  private func gradientPenalty(_ decoded: Tensor, _ codes: Tensor) -> Tensor {
    gradients(of: decoded.squared.sum(), withRespectTo: [codes])[0].squared.mean()
  }

  public func encode(_ images: Tensor) -> Tensor { networks.encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { networks.decoder(codes, mode: .inference) }

  /// N(0, I), towards which nothing but the codes' size drives them; the paper draws from a fitted mixture.
  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }
}
