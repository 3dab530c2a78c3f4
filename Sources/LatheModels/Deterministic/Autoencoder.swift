import LatheNN
import LatheTensors

/// A plain autoencoder with weight decay on its decoder, from whose codes a mixture is drawn.
///
/// The baseline "AE-L2" of Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020; networks (`rae-conv`), weights and
/// rates as in its released code.
public struct Autoencoder: Model {
  public static let name = "ae"
  public static let summary = "autoencoder with decaying decoder weights; samples from a mixture"
  public static let source = "Ghosh et al. 2020, baseline"
  public static let defaultSampler = Sampler.Name.gmm

  public enum Group: String, ParameterGroup { case encoder, decoder }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 16
    public var networks = AnyArchitecture.raeConv
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    /// λ, of the sum of the decoder's squared kernels; 0 for none.
    public var decayWeight: Float = 1e-7
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
    configuration.decayWeight = images.channels == 1 ? 1e-7 : 1e-6
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
        atLeast: 0) ?? rateError(["decayWeight": c.decayWeight, "learningRate": c.learningRate])
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
        Phase("reconstruction", updates: [.encoder, .decoder], by: .adam(rate, epsilon: 1e-7)) {
          $0.loss($1)
        })
    ]
  }

  /// mean (x − Dec(E(x)))² + λ Σ W², a mean over pixels and channels.
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .training)
    let error = meanSquaredError(batch.images, networks.decoder(codes, mode: .training))
    guard configuration.decayWeight > 0 else { return Losses(error) }
    let decay = networks.squaredKernels
    return Losses(
      error + configuration.decayWeight * decay,
      terms: ["reconstruction": error, "squared kernels": decay])
  }

  public func encode(_ images: Tensor) -> Tensor { networks.encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { networks.decoder(codes, mode: .inference) }

  /// None but those that are fitted.
  public var samplers: [Sampler] { [] }
}
