import LatheNN
import LatheTensors

/// A plain autoencoder with weight decay on its decoder, from whose codes a mixture is drawn.
///
/// The baseline "AE-L2" of Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR
/// 2020; networks (A2), weights and rates as in its released code.
public struct Autoencoder: DeterministicModel {
  public static let name = "ae"
  public static let summary = "autoencoder with decaying decoder weights; samples from a mixture"
  public static let source = "Ghosh et al. 2020, baseline"
  public static let takesLabels = true
  public static let defaultSampler = Sampler.Name.gmm

  public typealias Group = AutoencoderGroup

  public struct Configuration: DeterministicConfiguration {
    public var deterministic = DeterministicSettings()
    @Setting("λ, of the sum of the decoder's squared kernels; 0: none.", bounds: .atLeast(0)) public
      var decayWeight: Float = 1e-7
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let kernels: DecayedKernels

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.deterministic.suit(images)
    configuration.decayWeight = images.channels == 1 ? 1e-7 : 1e-6
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
    kernels = DecayedKernels(of: scope("decoder"), images: images)
  }

  /// mean (x − Dec(E(x)))² + λ Σ W², a mean over pixels and channels.
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: batch.mode)
    let error = meanSquaredError(
      batch.images, networks.decoded(codes, of: batch.images, mode: batch.mode))
    guard configuration.decayWeight > 0 else { return Losses(error) }
    let decay = kernels.squared
    return Losses(
      error + configuration.decayWeight * decay,
      terms: ["reconstruction": error, "squared kernels": decay])
  }

  /// None but those that are fitted.
  public var samplers: [Sampler] { [] }
}
