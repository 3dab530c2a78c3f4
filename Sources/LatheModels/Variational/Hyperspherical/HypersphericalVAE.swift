import LatheNN
import LatheTensors

/// Hyperspherical VAE: codes on the unit sphere, von Mises–Fisher posteriors, a uniform prior.
///
/// Davidson et al., "Hyperspherical Variational Auto-Encoders", UAI 2018 (arXiv 1804.00891); head,
/// likelihood and rate as in its released code.
public struct HypersphericalVAE: Model {
  public static let name = "hvae"
  public static let summary = "variational autoencoder with codes on the unit sphere"
  public static let source = "Davidson et al. 2018"

  public typealias Group = AutoencoderGroup

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.flexaeConv, latentSize: 10)
    @Setting("Adam's learning rate.", bounds: .atLeast(0)) public var learningRate: Float = 1e-3
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  { try configuration.validate(images, latentSizeFrom: 3) }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, settings) = (configuration.latentSize, configuration.autoencoder)
    encoder = settings.networks.architecture.encoder(
      scope("encoder"), images: images, outputs: m + 1, size: settings.size)
    decoder = settings.networks.architecture.decoder(
      scope("decoder"), images: images, latentSize: m, size: settings.size)
  }

  public var step: [Block<Self>] {
    let adam = OptimizerRule.adam(.constant(configuration.learningRate))
    return [
      Block(
        Phase("elbo", updates: [.encoder, .decoder], by: adam) {
          $0.negativeELBO($1.images, $1.random, mode: $1.mode)
        })
    ]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ uniform), p Bernoulli.
  func negativeELBO(_ images: Tensor, _ random: RandomSource, mode: Mode) -> Losses {
    let posterior = posterior(images, mode: mode)
    let decoded = decoder(posterior.sample(using: random), mode: mode)
    let reconstruction = crossEntropy(images, probability: decoded)
    let kl = posterior.kl.mean()
    return Losses(reconstruction + kl, terms: ["reconstruction": reconstruction, "kl": kl])
  }

  /// μ by normalization, κ by 1 + softplus.
  func posterior(_ images: Tensor, mode: Mode) -> VonMisesFisher {
    let m = configuration.latentSize
    let outputs = encoder(images, mode: mode)
    let direction = outputs.slice(0..<m, axis: 1)
    return VonMisesFisher(
      mean: direction / (direction.norm(axis: 1, keepingDimensions: true) + 1e-7),
      concentration: 1 + softplus(outputs.slice(m..<m + 1, axis: 1)))
  }

  public func objective(_ batch: Batch) -> Tensor? {
    negativeELBO(batch.images, batch.random, mode: batch.mode).total
  }

  /// The means of the posteriors.
  public func encode(_ images: Tensor) -> Tensor { posterior(images, mode: .inference).mean }

  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    posterior(images, mode: .inference).sample(using: random)
  }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? {
    negativeELBO(images, random, mode: .inference).total
  }

  /// z uniform on the sphere.
  public var samplers: [Sampler] {
    [
      Sampler(.prior) { count, random in
        let draws = random.normal("prior", [count, configuration.latentSize])
        return draws / draws.norm(axis: 1, keepingDimensions: true)
      }
    ]
  }
}
