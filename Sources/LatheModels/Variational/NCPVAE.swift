import LatheNN
import LatheTensors

/// A variational autoencoder, then a classifier that tells its codes from draws of N(0, I): what it
/// finds likelier in codes is drawn more often.
///
/// Aneja et al., "A Contrastive Learning Approach for Training Variational Autoencoder Priors",
/// NeurIPS 2021 (arXiv 2010.02917), Section 3, for one group of latent variables. There is no
/// released code; widths and rates are ours, those of ``VAEIOP``'s classifier.
public struct NCPVAE: VariationalModel {
  public static let name = "ncp-vae"
  public static let summary = "variational autoencoder whose prior a classifier reweights"
  public static let source = "Aneja et al. 2021"

  public enum Group: String, ParameterGroup { case encoder, decoder, ratio }

  public struct Configuration: VariationalConfiguration {
    public var variational = VariationalSettings(.crossEntropy, latentSize: 32)
    @Setting("Steps of the autoencoder; the rest is the classifier's.", bounds: .atLeast(1)) public
      var firstStageSteps = 500
    @Setting("Widths of the classifier's hidden layers.", bounds: .oneOrMore(.size()))
    public var ratioHidden = [500, 500, 500]
    @Setting("Adam's learning rate of the classifier.", bounds: .atLeast(0)) public var ratioRate:
      Float = 1e-3
    @Setting("Draws from N(0, I) of which resampling keeps one.", bounds: .repeats) public
      var importanceDraws = 500
    @Setting("Steps of Langevin dynamics.", bounds: .repeats) public var langevinSteps = 100
    @Setting("η, the size of a step of Langevin dynamics.", bounds: .atLeast(0)) public
      var langevinRate: Float = 0.05
    public init() {}
  }

  public let configuration: Configuration
  public let networks: VariationalNetworks
  private let ratio: DensityRatio

  public static func configuration(for images: ImageShape, steps: Int) -> Configuration {
    var configuration = Configuration()
    configuration.firstStageSteps = max(1, steps / 2)
    configuration.latentSize = comparedLatentSize(images)
    if images.channels > 1 { configuration.likelihood = .fixedVariance }
    return configuration
  }

  public init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = VariationalNetworks(scope, images: images, settings: configuration.variational)
    ratio = DensityRatio(
      scope("ratio"), latentSize: configuration.latentSize, hidden: configuration.ratioHidden)
  }

  public var step: [Block<Self>] {
    let c = configuration
    let classify = Phase<Self>("ratio", updates: [.ratio], by: .adam(.constant(c.ratioRate))) {
      $0.ratioLoss($1)
    }
    return [
      Block(elboPhase([.encoder, .decoder], by: .constant(c.learningRate)))
        .during(0..<c.firstStageSteps),
      Block(classify).during(c.firstStageSteps..<Int.max),
    ]
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)).
  public func negativeELBO(_ batch: Batch) -> Losses {
    let (posterior, _, reconstruction) = networks.autoencode(
      batch.images, using: batch.random, mode: batch.mode)
    let kl = posterior.kl
    return Losses(
      reconstruction + kl, terms: ["reconstruction": reconstruction, "kl": kl])
  }

  /// −E_q[log D(z)] − E_N[log (1 − D(z))], D = σ(T), for codes that no longer change.
  func ratioLoss(_ batch: Batch) -> Losses {
    let codes = sampleCodes(of: batch.images, using: batch.random)
    let prior = batch.random.normal("prior", codes.shape)
    return Losses(ratio.loss(codes, against: prior, using: batch.random))
  }

  /// z ~ N(z; 0, I) r(z) / Z, r = eᵀ = D / (1 − D): by resampling, or by Langevin dynamics; and
  /// N(0, I), as if there were no r.
  public var samplers: [Sampler] {
    let c = configuration
    return [
      Sampler(.importance) { ratio.resample($0, from: c.importanceDraws, using: $1) },
      Sampler(.langevin) {
        ratio.langevin($0, steps: c.langevinSteps, rate: c.langevinRate, using: $1)
      },
      .standardNormal(latentSize: c.latentSize),
    ]
  }

  public static var defaultSampler: Sampler.Name { .importance }

  /// None: nobody knows Z.
  public var density: LogDensity? { nil }

  /// None: the same.
  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? { nil }
}
