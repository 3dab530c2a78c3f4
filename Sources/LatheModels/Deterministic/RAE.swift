import LatheNN
import LatheTensors

/// RAE: an autoencoder with small codes and a smooth decoder, from whose codes a mixture is drawn.
///
/// Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020, Eq. 4 and Section 3;
/// the terms' exact form, networks (A2), weights and rates as in its released code.
public struct RAE: DeterministicModel {
  public static let name = "rae"
  public static let summary =
    "regularized autoencoder: decoder smoothed by l2, gradient penalty, spectral norm or not"
  public static let source = "Ghosh et al. 2020"
  public static let takesLabels = true
  public static let defaultSampler = Sampler.Name.gmm

  public typealias Group = AutoencoderGroup

  /// What keeps the decoder smooth.
  public enum Regularization: String, SettingChoice {
    /// Decay of its kernels.
    case l2
    /// A penalty on the gradient of its output.
    case gradientPenalty = "gp"
    /// Spectrally normalized layers, in the encoder too, as the released code's RAE-SN has them.
    case spectralNorm = "sn"
    /// Nothing but what batch norm does.
    case none

    public static let synonyms: [String: Regularization] = [
      "gradient-penalty": .gradientPenalty, "spectral-norm": .spectralNorm,
    ]
  }

  public struct Configuration: DeterministicConfiguration {
    public var deterministic = DeterministicSettings()
    @Setting("What keeps the decoder smooth.") public var regularization = Regularization.l2
    @Setting("β, of the mean square of a code's coordinates.", bounds: .atLeast(0)) public
      var codeWeight: Float = 1e-4
    @Setting("λ of l2, of the sum of the decoder's squared kernels.", bounds: .atLeast(0)) public
      var decayWeight: Float = 1e-7
    @Setting("λ of gp.", bounds: .atLeast(0)) public var penaltyWeight: Float = 5e-8
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let kernels: DecayedKernels

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.deterministic.suit(images)
    let (isGrey, isLarge) = (images.channels == 1, images.height >= 64)
    configuration.codeWeight = isGrey || isLarge ? 1e-4 : 1e-3
    configuration.decayWeight = isLarge || isGrey ? 1e-7 : 1e-6
    configuration.penaltyWeight = isGrey ? 5e-8 : 1e-7
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let isNormalized = configuration.regularization == .spectralNorm
    networks = AutoencoderNetworks(
      isNormalized ? scope.spectrallyNormalized : scope, images: images,
      settings: configuration.autoencoder)
    kernels = DecayedKernels(of: scope("decoder"), images: images)
  }

  /// mean (x − Dec(z))² + β mean z² + λ R, z = E(x), means over all elements.
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: batch.mode)
    let decoded = networks.decoded(codes, of: batch.images, mode: batch.mode)
    let error = meanSquaredError(batch.images, decoded)
    let size = codes.squared.mean()
    let plain = error + configuration.codeWeight * size
    switch configuration.regularization {
    case .l2:
      let decay = kernels.squared
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

  /// mean (∂/∂z Σ Dec(z)²)², the sum over all outputs of the batch, the mean over images and
  /// coordinates.
  ///
  /// As in the released code; the paper's Eq. 8 has ‖∇ Dec(z)‖².
  private func gradientPenalty(_ decoded: Tensor, _ codes: Tensor) -> Tensor {
    gradients(of: decoded.squared.sum(), withRespectTo: [codes])[0].squared.mean()
  }

}
