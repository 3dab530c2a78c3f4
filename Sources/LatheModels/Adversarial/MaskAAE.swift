import Foundation
import LatheNN
import LatheTensors

/// MaskAAE: an adversarial autoencoder that learns how many latent dimensions it needs.
///
/// A mask α ∈ [0, 1)ᵐ multiplies codes and prior draws alike; its own loss drives each entry to one end, and leaves open as
/// many as reconstruction asks for. Mondal et al., "MaskAAE: Latent Space Optimization for Adversarial Auto-Encoders",
/// UAI 2020; networks (`mlp`), weights, rates, schedule and alternation as in its released code.
public struct MaskAAE: Model {
  public static let name = "maskaae"
  public static let summary =
    "adversarial autoencoder with a learned mask over the latent dimensions"
  public static let source = "Mondal et al. 2020"

  public enum Group: String, ParameterGroup { case encoder, decoder, critic, mask }

  public struct Configuration: Codable, Sendable {
    public var latentSize = 64
    public var networks = AnyArchitecture.mlp
    /// Widths of encoder and decoder (``NetworkSize``).
    public var filters = 0
    public var hiddenSize = 0
    public var criticHidden = [1024, 1024, 1024, 1024]
    /// Critic updates for each update of the rest, each on fresh images.
    public var criticSteps = 5
    /// λ in Gulrajani et al., Eq. 3.
    public var penaltyWeight: Float = 10
    /// Weight on the variance of codes that the mask has closed.
    public var varianceWeight: Float = 100
    /// Weight on the reconstruction in the mask's loss.
    public var maskReconstructionWeight: Float = 1000
    /// T: c doubles every 4 T steps, the losses of autoencoder and mask are divided by 5 after 5 T; 0 for the
    /// published one, 75 up to m = 20 and min(10000, ⌊112.5 m⌋) beyond.
    public var scheduleSteps = 0
    /// RMSProp's rates, one for each phase.
    public var reconstructionRate: Float = 5e-4
    public var criticRate: Float = 1e-4
    public var encoderRate: Float = 1e-4
    public var maskRate: Float = 5e-4
    public init() {}
  }

  private let configuration: Configuration
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork
  private let critic: MLP
  /// w ≥ 0, `[latentSize]`.
  private let maskLogits: Parameter

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    (configuration.latentSize, configuration.networks) =
      AAE.defaults(for: images)
    return configuration
  }

  public static func validationError(of configuration: Configuration, images: ImageShape) -> String?
  {
    let c = configuration
    return c.networks.validationError(for: images)
      ?? sizeError([
        "latentSize": c.latentSize,
        "criticSteps": c.criticSteps, "criticHidden": c.criticHidden.min() ?? 1,
      ])
      ?? sizeError(
        ["filters": c.filters, "hiddenSize": c.hiddenSize, "scheduleSteps": c.scheduleSteps],
        atLeast: 0)
      ?? rateError([
        "penaltyWeight": c.penaltyWeight, "varianceWeight": c.varianceWeight,
        "maskReconstructionWeight": c.maskReconstructionWeight,
        "reconstructionRate": c.reconstructionRate, "criticRate": c.criticRate,
        "encoderRate": c.encoderRate, "maskRate": c.maskRate,
      ])
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    let (m, networks) = (configuration.latentSize, configuration.networks)
    let size = NetworkSize(filters: configuration.filters, hiddenSize: configuration.hiddenSize)
    encoder = networks.encoder(scope("encoder"), images: images, outputs: m, size: size)
    decoder = networks.decoder(scope("decoder"), images: images, latentSize: m, size: size)
    critic = MLP(
      scope("critic"), inputs: m, hidden: configuration.criticHidden, outputs: 1,
      initializer: .glorotNormal, biasInitializer: .glorotUniform)
    // Saved as "openness" since the first checkpoints.
    maskLogits = scope("mask").parameter("openness", [m], .between(0, 5), constraint: .nonNegative)
  }

  public var step: [Block<Self>] {
    let c = configuration
    func phase(
      _ name: String, _ groups: [Group], _ rate: Float, loss: @escaping (Self, Batch) -> Losses
    ) -> Phase<Self> {
      Phase(name, updates: groups, by: .rmsProp(.constant(rate)), loss: loss)
    }
    return [
      Block(
        phase("reconstruction", [.encoder, .decoder], c.reconstructionRate) {
          $0.reconstructionLoss($1)
        }),
      Block(
        repeats: c.criticSteps, phase("critic", [.critic], c.criticRate) { $0.criticLoss($1) }),
      Block(phase("encoder", [.encoder], c.encoderRate) { $0.encoderLoss($1) }),
      Block(phase("mask", [.mask], c.maskRate) { $0.maskLoss($1) }),
    ]
  }

  /// α = 1 − exp(−w), `[latentSize]` in [0, 1).
  private var mask: Tensor { 1 - exp(-maskLogits.value) }

  /// R + 100 V, R the cross-entropy of x and Dec(α ⊙ E(x)), the mean over pixels.
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .training)
    let reconstruction = meanCrossEntropy(
      batch.images, probability: decoder(mask * codes, mode: .training))
    let variance = maskedDimensionVariance(batch.gathered(codes))
    return Losses(
      share(batch.step) * (reconstruction + configuration.varianceWeight * variance),
      terms: ["reconstruction": reconstruction, "maskedDimensionVariance": variance])
  }

  /// V, the mean of (z − E[z])² exp(−10 α²) over a batch and its dimensions: codes of closed dimensions should not vary.
  private func maskedDimensionVariance(_ codes: Tensor) -> Tensor {
    ((codes - codes.mean(0, keepingDimensions: true)).squared * exp(-10 * mask.squared)).mean()
  }

  /// E[C(α ⊙ z)] − E[C(α ⊙ p)] + λ E[(‖∇C(ẑ)‖₂ − 1)²], z = E(x), p ~ N(0, I), ẑ on the line between the two.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)
    return criticLosses(
      { critic($0, mode: .training) }, real: mask * prior(batch), generated: mask * codes,
      mix: batch.random.uniform("mix", [codes.shape[0], 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[C(α ⊙ z)].
  func encoderLoss(_ batch: Batch) -> Losses {
    let codes = mask * encoder(batch.images, mode: .trainingWithoutTracking)
    return Losses(-critic(codes, mode: .trainingWithoutTracking).mean())
  }

  /// 1000 R + (1 − (E[C(α ⊙ z)] − E[C(α ⊙ p)]))² + c Σ |α (1 − α)|, for the mask alone.
  func maskLoss(_ batch: Batch) -> Losses {
    let masked = mask * encoder(batch.images, mode: .trainingWithoutTracking)
    let reconstruction = meanCrossEntropy(
      batch.images, probability: decoder(masked, mode: .trainingWithoutTracking))
    let distance =
      batch.gathered(score(masked)).mean() - batch.gathered(score(mask * prior(batch))).mean()
    let regularizer = abs(mask * (1 - mask)).sum()  // without slope where a dimension is closed
    let total =
      configuration.maskReconstructionWeight * reconstruction + (1 - distance).squared
      + maskRegularizerWeight(batch.step) * regularizer
    return Losses(
      share(batch.step) * total,
      terms: [
        "reconstruction": reconstruction, "distance": distance, "maskRegularizer": regularizer,
        "activeDimensions": activeDimensions,
      ])
  }

  private func score(_ codes: Tensor) -> Tensor { critic(codes, mode: .trainingWithoutTracking) }

  /// m_A, the number of dimensions with α ≥ 0.1.
  private var activeDimensions: Tensor {
    Tensor(filledWith: Float(mask.values.count(where: { $0 >= 0.1 })))
  }

  private var scheduleSteps: Int {
    let m = configuration.latentSize
    if configuration.scheduleSteps > 0 { return configuration.scheduleSteps }
    return m <= 20 ? 75 : min(10_000, 225 * m / 2)
  }

  /// c: 2 / m, doubled every 4 T steps, at most 2048.
  private func maskRegularizerWeight(_ step: Int) -> Float {
    let doublings = Double(step / (4 * scheduleSteps))
    return Float(min(2048, 2 / Double(configuration.latentSize) * exp2(doublings)))
  }

  /// What the losses of autoencoder and mask are multiplied by: 1, and 1/5 after 5 T steps.
  private func share(_ step: Int) -> Float { step < 5 * scheduleSteps ? 1 : 0.2 }

  private func prior(_ batch: Batch) -> Tensor {
    batch.random.normal("prior", [batch.images.shape[0], configuration.latentSize])
  }

  /// α ⊙ E(x).
  public func encode(_ images: Tensor) -> Tensor { mask * encoder(images, mode: .inference) }

  public func decode(_ codes: Tensor) -> Tensor { decoder(codes, mode: .inference) }

  /// α ⊙ p, p ~ N(0, I), with the mask as it is, not rounded.
  public var samplers: [Sampler] {
    [Sampler(.prior) { mask * $1.normal("prior", [$0, configuration.latentSize]) }]
  }

  public var latentMask: Tensor? { mask }
}
