import Foundation
import LatheNN
import LatheTensors

/// Finite scalar quantization: an autoencoder whose codes are rounded to a few levels, and an
/// autoregressive network that learns their probabilities.
///
/// Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", ICLR 2024, whose released code
/// the rounding is. Like VQ-VAE (van den Oord et al., NeurIPS 2017) it draws images from an
/// autoregressive prior of the codes; here that is MADE (Germain et al., ICML 2015) over the
/// dimensions of one vector, learned beside the autoencoder and not after it.
public struct FSQ: AutoencoderModel {
  public static let name = "fsq"
  public static let summary = "autoencoder with rounded codes, and an autoregressive prior of them"
  public static let source = "Mentzer et al. 2024"

  public enum Group: String, ParameterGroup { case encoder, decoder, prior }

  public struct Configuration: AutoencoderConfiguration {
    public var autoencoder = AutoencoderSettings(.flexaeConv, latentSize: 32)
    @Setting("Levels of each dimension of a code.", bounds: .within(2...1024)) public var levels = 8
    @Setting("Widths of the prior's hidden layers.", bounds: .oneOrMore(.size()))
    public var priorHidden = [512, 512]
    @Setting("Adam's learning rate.", bounds: .atLeast(0)) public var learningRate: Float = 2e-4
    public init() {}
  }

  public let configuration: Configuration
  public let networks: AutoencoderNetworks
  private let prior: MaskedAutoregressiveNetwork

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.latentSize = comparedLatentSize(images)
    return configuration
  }

  public static func validate(_ configuration: Configuration, images: ImageShape)
    throws(ConfigurationError)
  { try configuration.validate(images, latentSizeFrom: 2) }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
    prior = MaskedAutoregressiveNetwork(
      scope("prior"), size: configuration.latentSize, hidden: configuration.priorHidden,
      numbers: configuration.levels)
  }

  public var step: [Block<Self>] {
    let adam = OptimizerRule.adam(.constant(configuration.learningRate))
    return [
      Block(Phase("autoencoder and prior", updates: Group.allCases, by: adam) { $0.loss($1) })
    ]
  }

  /// mean (x − Dec(z))² − log p(z), z = round E(x), which is a constant to the prior's p.
  func loss(_ batch: Batch) -> Losses {
    let codes = rounded(networks.encoder(batch.images, mode: batch.mode))
    let error = meanSquaredError(batch.images, networks.decoder(codes, mode: batch.mode))
    let likelihood = -logProbability(of: codes.detached).mean()
    return Losses(
      error + likelihood,
      terms: ["reconstruction": error, "negative log-likelihood": likelihood])
  }

  public func objective(_ batch: Batch) -> Tensor? { loss(batch).total }

  // MARK: Levels

  /// Coordinates bounded by tanh and rounded to `levels` numbers within [−1, 1]; gradients pass the
  /// rounding. Shapes: both the same.
  public func rounded(_ x: Tensor) -> Tensor {
    let half = 0.999 * Float(configuration.levels - 1) / 2
    let offset: Float = configuration.levels.isMultiple(of: 2) ? 0.5 : 0
    let bounded = tanh(x + Foundation.tan(offset / half)) * half - offset
    return roundedStraightThrough(bounded) / halfWidth
  }

  /// A level's distance from 0, in levels, at most.
  private var halfWidth: Float { Float(configuration.levels / 2) }

  /// 1 for the level of each coordinate, 0 for others. Shapes: `[N, m]` → `[N, levels, m]`.
  private func indicators(_ codes: Tensor) -> Tensor {
    let (n, m, levels) = (codes.shape[0], codes.shape[1], configuration.levels)
    var values = [Float](repeating: 0, count: n * levels * m)
    for (place, code) in codes.values.enumerated() {
      let level = Int((code * halfWidth + halfWidth).rounded())
      values[(place / m * levels + level) * m + place % m] = 1
    }
    return Tensor(values, shape: [n, levels, m])
  }

  // MARK: Prior

  /// log p of each level of a coordinate, given the coordinates before it. Shapes: `[N, m]` → `[N,
  /// levels, m]`.
  private func logProbabilities(after codes: Tensor) -> Tensor {
    let logits = prior(codes)
    return logits - logits.logSumExp(1, keepingDimensions: true)
  }

  /// log p(z), in nats. Shapes: `[N, m]` → `[N]`.
  public func logProbability(of codes: Tensor) -> Tensor {
    (logProbabilities(after: codes) * indicators(codes)).sum(1, 2)
  }

  public func encode(_ images: Tensor) -> Tensor {
    rounded(networks.encoder(images, mode: .inference))
  }

  /// z ~ p, one coordinate after the other.
  public var samplers: [Sampler] {
    let (m, levels) = (configuration.latentSize, configuration.levels)
    let sampler = Sampler(.prior) { count, random in
      var codes = [Float](repeating: 0, count: count * m)
      for coordinate in 0..<m {
        let known = Tensor(codes, shape: [count, m])
        let logs = logProbabilities(after: known)
          .slice(coordinate..<coordinate + 1, axis: 2).values
        let chances = random.derived(coordinate).uniform("level", [count]).values
        for row in 0..<count {
          let level = drawn(from: logs[row * levels..<(row + 1) * levels], chances[row])
          codes[row * m + coordinate] = (Float(level) - halfWidth) / halfWidth
        }
      }
      return Tensor(codes, shape: [count, m])
    }
    return [sampler]
  }
}
