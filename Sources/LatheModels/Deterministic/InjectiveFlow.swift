import LatheNN
import LatheTensors

/// A relaxed injective flow: an autoencoder whose loss bounds the likelihood of the decoder as a flow onto a manifold.
///
/// Kumar, Poole and Murphy, "Regularized Autoencoders via Relaxed Injective Probability Flow", AISTATS 2020. There is no released
/// code; the bound by the logarithm of the norm, its weight and the networks (`rae-conv`, as RAE) are our reading.
public struct InjectiveFlow: Model {
  public static let name = "injflow"
  public static let summary =
    "autoencoder as a relaxed injective flow, by Jacobian-vector products of its decoder"
  public static let source = "Kumar et al. 2020"

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 16
    public var networks = AnyArchitecture.raeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    /// Weight of the flow's terms beside the summed squared error: 2 s², for s the deviation of pixels.
    public var flowWeight: Float = 1e-2
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
    configuration.learningRate = images.height >= 64 ? 1e-3 : 5e-4
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError(["latentSize": c.latentSize])
      ?? sizeError(
        ["filters": c.filters, "hiddenSize": c.hiddenSize, "halvingSteps": c.halvingSteps],
        atLeast: 0) ?? rateError(["flowWeight": c.flowWeight, "learningRate": c.learningRate])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = EncoderDecoder(
      scope, configuration.networks, images: images, latentSize: configuration.latentSize,
      size: NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize))
  }

  public var step: [Block<Self>] {
    let rate = Schedule.halving(configuration.learningRate, every: configuration.halvingSteps)
    return [
      Block(
        Phase("likelihood", updates: [.encoder, .decoder], by: .adam(rate, epsilon: 1e-7)) {
          $0.loss($1)
        })
    ]
  }

  /// E[‖x − g(z)‖² + w (½ ‖z‖² + m log ‖J v‖)], z = h(x), J = ∂g/∂z, v uniform on the unit sphere.
  ///
  /// On the manifold −log p(x) = ½ ‖z‖² + ½ log |JᵀJ| + const, and log |JᵀJ| ≤ m E[log ‖J v‖²].
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .training)
    let decoded = directionalDerivative(
      of: { networks.decoder($0, mode: .training) }, at: codes, along: direction(batch, codes.shape)
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

  public func encode(_ images: Tensor) -> Tensor { networks.encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { networks.decoder(codes, mode: .inference) }

  public var samplers: [Sampler] { [.standardNormal(latentSize: configuration.latentSize)] }
}
