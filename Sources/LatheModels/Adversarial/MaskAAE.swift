import Foundation
import LatheNN
import LatheTensors

/// MaskAAE: an adversarial autoencoder that learns how many latent dimensions it needs.
///
/// A mask α ∈ [0, 1)ᵐ multiplies codes and prior draws alike; its own loss drives each entry to one
/// end, and leaves open as many as reconstruction asks for. Mondal et al., "MaskAAE: Latent Space
/// Optimization for Adversarial Auto-Encoders", UAI 2020; networks (A5), weights, rates, schedule
/// and alternation as in its released code.
public struct MaskAAE: AutoencoderModel {
  public static let name = "maskaae"
  public static let summary =
    "adversarial autoencoder with a learned mask over the latent dimensions"
  public static let source = "Mondal et al. 2020"

  public enum Group: String, ParameterGroup { case encoder, decoder, critic, mask }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.mlp, latentSize: 64)
    @Setting("Widths of the critic's hidden layers.", bounds: .each(.size())) public
      var criticHidden = [1024, 1024, 1024, 1024]
    @Setting(
      "Critic updates for each update of the rest, each on fresh images.", bounds: .repeats)
    public var criticSteps = 5
    @Setting("λ in Gulrajani et al., Eq. 3.", bounds: .atLeast(0)) public var penaltyWeight: Float =
      10
    @Setting("Weight of the variance of codes in masked dimensions.", bounds: .atLeast(0)) public
      var varianceWeight: Float = 100
    @Setting("Weight of the reconstruction in the mask's loss.", bounds: .atLeast(0)) public
      var maskReconstructionWeight: Float = 1000
    /// T: c doubles every 4 T steps, the losses of autoencoder and mask are divided by 5 after 5 T.
    @Setting(
      "T of the schedule; 0: as published, 75 up to m = 20, min(10000, ⌊112.5 m⌋) beyond.",
      bounds: .atLeast(0)) public var scheduleSteps = 0
    @Setting("RMSProp's learning rate of the reconstruction.", bounds: .atLeast(0)) public
      var reconstructionRate: Float = 5e-4
    @Setting("RMSProp's learning rate of the critic.", bounds: .atLeast(0)) public var criticRate:
      Float = 1e-4
    @Setting("RMSProp's learning rate of the encoder.", bounds: .atLeast(0)) public var encoderRate:
      Float = 1e-4
    @Setting(
      "RMSProp's learning rate of the mask; 0: 5e-4, as published, and as many times more as T is "
        + "shorter than the published one.", bounds: .atLeast(0)) public var maskRate: Float = 0
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let critic: MLP
  /// w ≥ 0, `[latentSize]`.
  private let maskLogits: Parameter

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    (configuration.latentSize, configuration.networks) =
      AAE.defaults(for: images)
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
    let m = configuration.latentSize
    critic = FullyConnected.critic(
      scope("critic"), latentSize: m, hidden: configuration.criticHidden)
    // Checkpoints know it by this name.
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
      Block(phase("mask", [.mask], maskRate) { $0.maskLoss($1) }),
    ]
  }

  /// α = 1 − exp(−w), `[latentSize]` in [0, 1).
  private var mask: Tensor { 1 - exp(-maskLogits.value) }

  /// R + 100 V, R the cross-entropy of x and Dec(α ⊙ E(x)), the mean over pixels.
  func reconstructionLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .training)
    let reconstruction = meanCrossEntropy(
      batch.images, probability: networks.decoder(mask * codes, mode: .training))
    let variance = maskedDimensionVariance(batch.gathered(codes))
    return Losses(
      share(batch.step) * (reconstruction + configuration.varianceWeight * variance),
      terms: ["reconstruction": reconstruction, "maskedDimensionVariance": variance])
  }

  /// V, the mean of (z − E[z])² exp(−10 α²) over a batch and its dimensions: codes of closed
  /// dimensions should not vary.
  private func maskedDimensionVariance(_ codes: Tensor) -> Tensor {
    ((codes - codes.mean(0, keepingDimensions: true)).squared * exp(-10 * mask.squared)).mean()
  }

  /// E[C(α ⊙ z)] − E[C(α ⊙ p)] + λ E[(‖∇C(ẑ)‖₂ − 1)²], z = E(x), p ~ N(0, I), ẑ on the line between
  /// the two.
  func criticLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .trainingWithoutTracking)
    return criticLosses(
      { critic($0, mode: .training) }, real: mask * prior(batch), generated: mask * codes,
      mix: batch.random.uniform("mix", [codes.shape[0], 1]),
      penaltyWeight: configuration.penaltyWeight)
  }

  /// −E[C(α ⊙ z)].
  func encoderLoss(_ batch: Batch) -> Losses {
    let codes = networks.encoder(batch.images, mode: .trainingWithoutTracking)
    return Losses(-critic(mask * codes, mode: .trainingWithoutTracking).mean())
  }

  /// 1000 R + (1 − (E[C(α ⊙ z)] − E[C(α ⊙ p)]))² + c Σ |α (1 − α)|, for the mask alone.
  func maskLoss(_ batch: Batch) -> Losses {
    let masked = mask * networks.encoder(batch.images, mode: .trainingWithoutTracking)
    let reconstruction = meanCrossEntropy(
      batch.images, probability: networks.decoder(masked, mode: .trainingWithoutTracking))
    let distance =
      batch.gathered(critic(masked, mode: .trainingWithoutTracking)).mean()
      - batch.gathered(critic(mask * prior(batch), mode: .trainingWithoutTracking)).mean()
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

  /// m_A, the number of dimensions with α ≥ 0.1.
  private var activeDimensions: Tensor {
    Tensor(filledWith: Float(mask.values.count(where: { $0 >= 0.1 })))
  }

  private var scheduleSteps: Int {
    configuration.scheduleSteps > 0 ? configuration.scheduleSteps : publishedScheduleSteps
  }

  private var publishedScheduleSteps: Int {
    let m = configuration.latentSize
    return m <= 20 ? 75 : min(10_000, 225 * m / 2)
  }

  /// A schedule that is shorter than the published one leaves the mask fewer steps to move in, so
  /// each is longer.
  private var maskRate: Float {
    if configuration.maskRate > 0 { return configuration.maskRate }
    return 5e-4 * max(1, Float(publishedScheduleSteps) / Float(scheduleSteps))
  }

  /// The step from which c is 2048 and the mask hardly moves any more.
  private var capStep: Int {
    let doublings = log2(1024 * Double(configuration.latentSize))
    return 4 * scheduleSteps * Int(doublings.rounded(.up))
  }

  /// RMSProp moves a parameter by about its rate in a step, and w begins at up to 5.
  public func remarks(steps: Int) -> [String] {
    let moves = maskRate * Float(min(steps, capStep))
    guard moves < 5 else { return [] }
    let least = 5 / Float(min(steps, capStep))
    return [
      "the mask moves by at most about \(moves) in \(min(steps, capStep)) steps, and starts "
        + "between 0 and 5: dimensions that start further open stay open, whatever the data. "
        + "maskRate of at least \(least) or a larger scheduleSteps lets it close them"
    ]
  }

  /// c: 2 / m, doubled every 4 T steps, at most 2048.
  private func maskRegularizerWeight(_ step: Int) -> Float {
    let doublings = Double(step / 4 / scheduleSteps)
    return Float(min(2048, 2 / Double(configuration.latentSize) * exp2(doublings)))
  }

  /// What the losses of autoencoder and mask are multiplied by: 1, and 1/5 after 5 T steps.
  private func share(_ step: Int) -> Float { step / 5 < scheduleSteps ? 1 : 0.2 }

  private func prior(_ batch: Batch) -> Tensor {
    batch.random.normal("prior", [batch.images.shape[0], configuration.latentSize])
  }

  /// α ⊙ E(x).
  public func encode(_ images: Tensor) -> Tensor {
    mask * networks.encoder(images, mode: .inference)
  }

  /// α ⊙ p, p ~ N(0, I), with the mask as it is, not rounded.
  public var samplers: [Sampler] {
    [Sampler(.prior) { mask * $1.normal("prior", [$0, configuration.latentSize]) }]
  }

  public var latentMask: Tensor? { mask }
}
