import LatheNN
import LatheTensors

/// ARD-VAE: a variational autoencoder whose prior has a variance for each dimension, estimated from
/// codes; dimensions that the data do not need shrink.
///
/// Saha, Joshi and Whitaker, "ARD-VAE: A Statistical Formulation to Find the Relevant Latent
/// Dimensions of Variational Autoencoders", WACV 2025 (arXiv 2501.10901); weights and rate as in
/// its released code. There the variances are those of 10,000 images set aside, once an epoch; here
/// a running mean over codes of a second batch, which the step does not learn from.
public struct ARDVAE: VariationalModel {
  public static let name = "ard-vae"
  public static let summary = "variational autoencoder that estimates its prior's variances"
  public static let source = "Saha et al. 2025"

  public typealias Group = AutoencoderGroup

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(
      .fixedVariance, latentSize: 128, learningRate: 5e-4)
    @Setting("β, the weight of KL(q(z | x) ‖ N(0, σ̂²)).", bounds: .atLeast(0)) public var beta:
      Float = 0.25
    @Setting("Share of the old variances in an update.", bounds: .within(0...1)) public
      var priorMomentum: Float = 0.99
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  private let prior: EstimatedPrior

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    guard images.channels > 1 else { return configuration }
    configuration.latentSize = images.height < 64 ? 256 : 64
    configuration.beta = images.height < 64 ? 0.025 : 0.375
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
    prior = EstimatedPrior(
      scope("encoder")("prior"), latentSize: configuration.latentSize,
      momentum: Double(configuration.priorMomentum))
  }

  public var step: [Block<Self>] {
    [Block(batches: 2, elboPhase(by: .constant(configuration.learningRate)))]
  }

  /// −E[log p(x | z)] + β KL(q(z | x) ‖ N(0, σ̂²)), σ̂² = E[z²] over earlier batches.
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, _, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = kl(posterior)
    if batch.mode == .training { withoutGradients { noteCodes(of: batch) } }
    return Losses(
      reconstruction + configuration.beta * kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }

  private func noteCodes(of batch: Batch) {
    let posterior = networks.encoder(batch.otherImages, mode: .inference)
    let noise = batch.random.normal("held posterior", posterior.mean.shape)
    prior.note(posterior.sample(noise))
  }

  /// KL(q(z | x) ‖ N(0, σ̂²)), averaged over the images: that to N(0, I) of z / σ̂.
  private func kl(_ posterior: Posterior) -> Tensor {
    let deviation = prior.deviation
    return normalKL(
      mean: posterior.mean / deviation, standardDeviation: posterior.standardDeviation / deviation)
  }

  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? {
    let (posterior, _, reconstruction) = networks.autoencode(
      images, using: random, mode: .inference)
    return reconstruction + kl(posterior)
  }

  public var density: LogDensity? {
    density(prior: "N(0, σ̂²)") { [prior] in
      logNormal(
        $0, mean: Tensor(filledWith: 0, shape: [1]), standardDeviation: prior.deviation)
    }
  }

  /// z ~ N(mean, σ̂²), the mean that of earlier batches.
  public var samplers: [Sampler] {
    let size = configuration.latentSize
    return [
      Sampler(.prior) { [prior] count, random in
        prior.mean + prior.deviation * random.normal("prior", [count, size])
      }
    ]
  }

  /// 1 for the fewest dimensions that explain 99 % of what the decoder makes of the prior's
  /// variances, σ̂ₖ² Σ (mean |∂ Dec(z) / ∂ zₖ|)², a mean over images and a sum over pixels; else 0.
  public func relevance(of images: Tensor, using random: RandomSource) -> Tensor? {
    let codes = sampleCodes(of: images, using: random)
    let explained = (0..<configuration.latentSize).map { dimension -> Float in
      let axis = (0..<codes.shape.count).map {
        $0 % configuration.latentSize == dimension ? Float(1) : 0
      }
      let slope = directionalDerivative(
        of: { networks.decoder($0, mode: .inference) }, at: codes,
        along: Tensor(axis, shape: codes.shape)
      ).derivative
      return abs(slope).mean(0).squared.sum().scalar
    }
    return Self.largest(
      zip(explained, prior.deviation.squared.values).map { $0 * $1 }, share: 0.99)
  }

  /// 1 for the largest values whose sum first exceeds a share of that of all, else 0.
  static func largest(_ values: [Float], share: Float) -> Tensor {
    let order = values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) }
    var (chosen, sum) = ([Float](repeating: 0, count: values.count), Float(0))
    for index in order where sum <= share * values.reduce(0, +) {
      chosen[index] = 1
      sum += values[index]
    }
    return Tensor(chosen, shape: [values.count])
  }
}

/// Running means of z and z² over codes, without the share of their first values.
private struct EstimatedPrior {
  private let squares, means, share: Buffer

  init(_ scope: Scope, latentSize: Int, momentum: Double) {
    squares = scope.buffer("code_square", [latentSize], .zeros, momentum: momentum)
    means = scope.buffer("code_mean", [latentSize], .zeros, momentum: momentum)
    share = scope.buffer("code_share", [1], .ones, momentum: momentum)
  }

  /// Adds codes, `[N, latentSize]`, at the end of the phase.
  func note(_ codes: Tensor) {
    squares.noteUpdate(codes.squared.mean(0))
    means.noteUpdate(codes.mean(0))
    share.noteUpdate(Tensor(filledWith: 0, shape: [1]))
  }

  /// σ̂ = √E[z²], `[latentSize]`; 1 before the first codes.
  var deviation: Tensor {
    guard share.value.scalar < 1 else { return Tensor(filledWith: 1, shape: squares.shape) }
    return sqrt(squares.value / (1 - share.value) + 1e-8)
  }

  /// `[latentSize]`.
  var mean: Tensor {
    share.value.scalar < 1 ? means.value / (1 - share.value) : means.value
  }
}
