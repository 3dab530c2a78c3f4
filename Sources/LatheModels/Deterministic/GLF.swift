import LatheNN
import LatheTensors

/// Generative latent flow: an autoencoder, and a normalizing flow that learns the density of its
/// codes without changing them.
///
/// Xiao, Yan and Amit, "Generative Latent Flow", 2019 (arXiv 1905.10485). There is no released code
/// of theirs; the flow, its rate and its decay are those of the reimplementation
/// rakhimovv/GenerativeLatentFlow.
public struct GLF: AutoencoderModel {
  public static let name = "glf"
  public static let summary = "autoencoder, and a normalizing flow of its codes"
  public static let source = "Xiao et al. 2019"

  public enum Group: String, ParameterGroup { case encoder, decoder, flow }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.flexaeConv, latentSize: 20)
    @Setting("Steps of the flow.", bounds: .size()) public var flowSteps = 4
    @Setting("Widths of the hidden layers of each step's network.", bounds: .each(.size()))
    public var flowHidden = [64, 64]
    @Setting("Weight decay of the flow, as half its sum of squares.", bounds: .atLeast(0)) public
      var flowDecay: Float = 2e-5
    @Setting("Adam's learning rate, β = (0.9, 0.99).", bounds: .atLeast(0)) public var learningRate:
      Float = 1e-3
    @Setting(
      "Steps after which the learning rate is halved, each time; 0: never.", bounds: .atLeast(0))
    public var halvingSteps = 0
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let flow: CouplingFlow
  private let flowParameters: [Parameter]

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    if images.channels > 1 { configuration.latentSize = 64 }
    configuration.halvingSteps = steps / 2
    return configuration
  }

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  { try configuration.validate(images, latentSizeFrom: 2) }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
    flow = CouplingFlow(
      scope("flow"), size: configuration.latentSize, steps: configuration.flowSteps,
      hidden: configuration.flowHidden)
    flowParameters = scope("flow").parameters
  }

  public var step: [Block<Self>] {
    let rate = Schedule.stepDecay(configuration.learningRate, every: configuration.halvingSteps)
    return [
      Block(
        Phase("autoencoder and flow", updates: Group.allCases, by: .adam(rate, beta2: 0.99)) {
          $0.loss($1)
        })
    ]
  }

  /// mean (x − Dec(z))² − log p(z), z = E(x), which is a constant to the flow's density p(z) =
  /// N(f(z); 0, I) |det ∂f / ∂z|.
  func loss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: batch.mode)
    let error = meanSquaredError(batch.images, networks.decoder(codes, mode: batch.mode))
    let (noise, logDeterminant) = flow(codes.detached)
    let likelihood = (0.5 * noise.squared.sum(1) - logDeterminant).mean()
    return Losses(
      error + likelihood + 0.5 * configuration.flowDecay * sumOfSquares(flowParameters),
      terms: ["reconstruction": error, "negative log-likelihood": likelihood])
  }

  public func objective(_ batch: Batch) -> Tensor? { loss(batch).total }

  /// z = f⁻¹(ε), ε ~ N(0, I).
  public var samplers: [Sampler] {
    let size = configuration.latentSize
    return [Sampler(.prior) { flow.inverse($1.normal("prior", [$0, size])) }]
  }
}
