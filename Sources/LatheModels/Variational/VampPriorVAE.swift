import Foundation
import LatheNN
import LatheTensors

/// VampPrior: the prior is the mean of the posteriors of learned pseudo-inputs.
///
/// Tomczak and Welling, "VAE with a VampPrior", AISTATS 2018. Pseudo-inputs, their first values and
/// the warm-up follow the released code; its networks are fully connected, ours are those of every
/// model here.
public struct VampPriorVAE: VariationalModel {
  public static let name = "vampprior"
  public static let summary =
    "variational autoencoder whose prior mixes posteriors of pseudo-inputs"
  public static let source = "Tomczak and Welling 2018"

  public enum Group: String, ParameterGroup { case encoder, decoder, prior }

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.crossEntropy, latentSize: 40, learningRate: 5e-4)
    @Setting("K, the number of components of the prior.", bounds: .size()) public
      var pseudoInputs = 500
    @Setting("Mean of the first values of the pseudo-inputs.", bounds: .atLeast(0)) public
      var pseudoInputMean: Float = 0.05
    @Setting("Standard deviation of the first values of the pseudo-inputs.", bounds: .atLeast(0))
    public var pseudoInputDeviation: Float = 0.01
    @Setting("Steps in which the weight of KL grows to 1; 0: none.", bounds: .atLeast(0)) public
      var warmUpSteps = 0
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  private let pseudoInputs: Parameter

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.warmUpSteps = steps / 20
    guard images.channels > 1 else { return configuration }
    configuration.likelihood = .fixedVariance
    configuration.latentSize = 128
    configuration.pseudoInputs = images.height < 64 ? 500 : 200
    (configuration.pseudoInputMean, configuration.pseudoInputDeviation) = (0.4, 0.05)
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
    pseudoInputs = scope("prior").parameter(
      "pseudo_inputs", [configuration.pseudoInputs, images.height, images.width, images.channels],
      .normal(
        mean: configuration.pseudoInputMean, standardDeviation: configuration.pseudoInputDeviation))
  }

  /// u_1 … u_K in [0, 1], `[K, H, W, C]`.
  private var inputs: Tensor { pseudoInputs.value.clamped(to: 0...1) }

  /// −E[log p(x | z)] + β (E[log q(z | x)] − E[log p(z)]), one z for each x.
  ///
  /// Images and pseudo-inputs go through the encoder together, so batch norm treats both alike, as
  /// it does in inference.
  public func negativeELBO(_ batch: Batch) -> Losses {
    let n = batch.images.shape[0]
    let both = networks.encoder(
      concatenated([batch.images, inputs], axis: 0), mode: batch.mode)
    let posterior = both.rows(0..<n)
    let components = both.rows(n..<n + configuration.pseudoInputs)
    let codes = posterior.sample(using: batch.random)
    let reconstruction = networks.negativeLogLikelihood(
      batch.images, given: codes, mode: batch.mode)
    let logPosterior = logNormal(
      codes, mean: posterior.mean, standardDeviation: posterior.standardDeviation)
    let kl = (logPosterior - logPrior(codes, components)).mean()
    return Losses(
      reconstruction + warmUp(batch.step, over: configuration.warmUpSteps) * kl,
      terms: ["reconstruction": reconstruction, "kl": kl])
  }

  /// log (1 / K) Σ_k N(z; μ(u_k), σ²(u_k)), the VampPrior. Shapes: `[N, latentSize]` → `[N]`.
  public func logPrior(_ codes: Tensor, _ components: Posterior) -> Tensor {
    let (n, k, m) = (codes.shape[0], components.mean.shape[0], codes.shape[1])
    let each = logNormal(
      codes.reshaped(to: [n, 1, m]), mean: components.mean.reshaped(to: [1, k, m]),
      standardDeviation: components.standardDeviation.reshaped(to: [1, k, m]))  // [N, K]
    return each.logSumExp(1) - log(Float(k))
  }

  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? {
    let (posterior, codes, reconstruction) = networks.autoencode(
      images, using: random, mode: .inference)
    let logPosterior = logNormal(
      codes, mean: posterior.mean, standardDeviation: posterior.standardDeviation)
    let logPrior = logPrior(codes, networks.encoder(inputs, mode: .inference))
    return reconstruction + (logPosterior - logPrior).mean()
  }

  /// p(x | z) p(z), with the VampPrior.
  public var density: LogDensity? {
    let components = networks.encoder(inputs, mode: .inference)
    let prior = "the VampPrior of \(configuration.pseudoInputs) components"
    return density(prior: prior) { logPrior($0, components) }
  }

  /// k uniform, z ~ q(z | u_k).
  public var samplers: [Sampler] {
    let sampler = Sampler(.pseudoInputs) { count, random in
      let k = configuration.pseudoInputs
      let chosen = random.uniform("component", [count]).values.map {
        min(Int($0 * Float(k)), k - 1)
      }
      let components = networks.encoder(inputs, mode: .inference)
      return components.gather(chosen).sample(using: random)
    }
    return [sampler]
  }

  public static var defaultSampler: Sampler.Name { .pseudoInputs }
}
