import LatheNN
import LatheTensors

/// FactorVAE: a variational autoencoder that penalises the total correlation of its codes.
///
/// Kim and Mnih, "Disentangling by Factorising", ICML 2018, Algorithm 2. The discriminator and both
/// rates are those of the implementation in disentanglement_lib, which like us permutes the codes
/// of the same batch.
public struct FactorVAE: VariationalModel {
  public static let name = "factor-vae"
  public static let summary =
    "variational autoencoder with a penalty on the total correlation of codes"
  public static let source = "Kim and Mnih 2018"
  public static let takesLabels = true

  public enum Group: String, ParameterGroup { case encoder, decoder, discriminator }

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.crossEntropy, latentSize: 10, learningRate: 1e-4)
    @Setting("γ, the weight of the total correlation.", bounds: .atLeast(0)) public var gamma:
      Float = 10
    @Setting("Widths of the discriminator's hidden layers.", bounds: .each(.size())) public
      var discriminatorHidden = [1000, 1000, 1000, 1000, 1000, 1000]
    @Setting("Adam's learning rate of the discriminator.", bounds: .atLeast(0)) public
      var discriminatorRate: Float = 1e-4
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  /// Codes → logits of "drawn together" and "permuted", `[N, 2]`.
  private let discriminator: MLP

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
    discriminator = MLP(
      scope("discriminator"), inputs: configuration.latentSize,
      hidden: configuration.discriminatorHidden, outputs: 2, activation: .leakyRelu(slope: 0.2))
  }

  public var step: [Block<Self>] {
    let c = configuration
    let discriminator = Phase<Self>(
      "discriminator", updates: [.discriminator],
      by: .adam(.constant(c.discriminatorRate), beta1: 0.5, beta2: 0.9)
    ) { $0.discriminatorLoss($1) }
    return [Block(elboPhase([.encoder, .decoder], by: .constant(c.learningRate)), discriminator)]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)) + γ TC(z).
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, codes, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = posterior.kl
    let correlation = totalCorrelation(of: codes)
    return Losses(
      reconstruction + kl + configuration.gamma * correlation,
      terms: [
        "reconstruction": reconstruction, "kl": kl,
        "totalCorrelation": correlation,
      ])
  }

  /// E[d₀(z) − d₁(z)], the discriminator's estimate of log q(z) / Π q(z_j).
  func totalCorrelation(of codes: Tensor) -> Tensor {
    logRatio(codes).mean()
  }

  /// d₀(z) − d₁(z), `[N, 1]`.
  private func logRatio(_ codes: Tensor) -> Tensor {
    let logits = discriminator(codes, mode: .training)
    return logits.slice(0..<1, axis: 1) - logits.slice(1..<2, axis: 1)
  }

  /// ½ (−E[log D₀(z)] − E[log D₁(z′)]), z′ the codes with each coordinate permuted over the batch
  /// by itself.
  func discriminatorLoss(_ batch: Batch) -> Losses {
    let posterior = networks.encoder(batch.images, mode: .trainingWithoutTracking)
    let codes = posterior.sample(using: batch.random)
    let keys = batch.random.uniform("permutation", codes.shape)
    let permuted = batch.ownRows(
      of: permutingCoordinates(of: batch.gathered(codes.detached), by: batch.gathered(keys)))
    // −log D₀ = log (1 + e^(d₁ − d₀)), and −log D₁ the other way round.
    return Losses(
      0.5 * (softplus(-logRatio(codes)).mean() + softplus(logRatio(permuted)).mean()))
  }
}

/// Each column of the codes in the order of the same column of `noise`, as a constant. Shapes: both
/// `[N, m]`.
public func permutingCoordinates(of codes: Tensor, by noise: Tensor) -> Tensor {
  let (n, m) = (codes.shape[0], codes.shape[1])
  let (values, keys) = (codes.values, noise.values)
  var permuted = values
  for column in 0..<m {
    let order = (0..<n).sorted {
      (keys[$0 * m + column], $0) < (keys[$1 * m + column], $1)
    }
    for (row, source) in order.enumerated() {
      permuted[row * m + column] = values[source * m + column]
    }
  }
  return Tensor(permuted, shape: codes.shape)
}
