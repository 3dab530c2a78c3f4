import LatheNN
import LatheTensors

/// A relaxed injective flow: an autoencoder whose loss bounds the likelihood of the decoder as a
/// flow onto a manifold.
///
/// Kumar, Poole and Murphy, "Regularized Autoencoders via Relaxed Injective Probability Flow",
/// AISTATS 2020. There is no released code; the bound by the logarithm of the norm, its weight and
/// the networks (A2, as RAE) are our reading.
public struct InjectiveFlow: DeterministicModel {
  public static let name = "injflow"
  public static let summary =
    "autoencoder as a relaxed injective flow, by Jacobian-vector products of its decoder"
  public static let source = "Kumar et al. 2020"

  public typealias Group = AutoencoderGroup
  static let phaseName = "likelihood"

  public struct Configuration: DeterministicConfiguration {
    public var deterministic = DeterministicSettings()
    @Setting(
      "Weight of the flow's terms: 2 s², s the standard deviation of pixels.", bounds: .atLeast(0))
    public var flowWeight: Float = 1e-2
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.deterministic.suit(images)
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
  }

  /// E[‖x − g(z)‖² + w (½ ‖z‖² + m log ‖J v‖)], z = h(x), J = ∂g/∂z, v uniform on the unit sphere.
  ///
  /// On the manifold −log p(x) = ½ ‖z‖² + ½ log |JᵀJ| + const, and log |JᵀJ| ≤ m E[log ‖J v‖²].
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: batch.mode)
    let decoded = directionalDerivative(
      of: { networks.decoder($0, mode: batch.mode) }, at: codes,
      along: direction(batch, codes.shape)
    )
    let error = squaredError(batch.images, decoded.value)
    let size = 0.5 * codes.squared.sum() / Float(codes.shape[0])
    let stretch = decoded.derivative.flattened.squared.sum(1)
    let volume = 0.5 * Float(codes.shape[1]) * log(stretch + 1e-12).mean()
    return Losses(
      error + configuration.flowWeight * (size + volume),
      terms: ["reconstruction": error, "codes": size, "volume": volume])
  }

  /// A unit vector for each code.
  private func direction(_ batch: Batch, _ shape: Shape) -> Tensor {
    let noise = batch.random.normal("direction", shape)
    return noise / noise.norm(axis: 1, keepingDimensions: true)
  }
}
