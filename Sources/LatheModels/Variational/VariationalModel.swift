import LatheFiles
import LatheNN
import LatheTensors

/// What every variational autoencoder can be told.
public struct VariationalSettings: SettingGroup {
  public var autoencoder: AutoencoderSettings
  @Setting("p(x | z).") public var likelihood = Likelihood.fixedVariance
  @Setting("Adam's learning rate.", bounds: .atLeast(0)) public var learningRate: Float = 2e-4

  public init(
    _ likelihood: Likelihood, latentSize: Int, networks: Networks = .flexaeConv,
    learningRate: Float = 2e-4
  ) {
    autoencoder = AutoencoderSettings(networks, latentSize: latentSize)
    self.likelihood = likelihood
    self.learningRate = learningRate
  }
}

/// A configuration of a variational autoencoder.
public protocol VariationalConfiguration: AutoencoderConfiguration {
  var variational: VariationalSettings { get set }
}

extension VariationalConfiguration {
  public var autoencoder: AutoencoderSettings {
    get { variational.autoencoder }
    set { variational.autoencoder = newValue }
  }
  public var likelihood: Likelihood {
    get { variational.likelihood }
    set { variational.likelihood = newValue }
  }
  public var learningRate: Float {
    get { variational.learningRate }
    set { variational.learningRate = newValue }
  }
}

/// A variational autoencoder: what its networks do outside of training.
public protocol VariationalModel: Model where Configuration: VariationalConfiguration {
  var networks: VariationalNetworks { get }
  var configuration: Configuration { get }

  /// The loss of the phase `elbo`.
  func negativeELBO(_ batch: Batch) -> Losses
}

extension VariationalModel {
  /// One phase, `elbo`, by Adam with a constant rate, that updates all groups.
  public var step: [Block<Self>] { [Block(elboPhase(by: .constant(configuration.learningRate)))] }

  /// The phase `elbo`, which updates all groups unless `groups` are given.
  func elboPhase(_ groups: [Group] = Array(Group.allCases), by schedule: Schedule) -> Phase<Self> {
    Phase("elbo", updates: groups, by: .adam(schedule)) { $0.negativeELBO($1) }
  }

  public func objective(_ batch: Batch) -> Tensor? { negativeELBO(batch).total }

  /// The mean of q(z | x).
  public func encode(_ images: Tensor) -> Tensor {
    networks.labelled(networks.encoder(images, mode: .inference).mean, of: images)
  }

  /// z ~ q(z | x).
  public func sampleCodes(of images: Tensor, using random: RandomSource) -> Tensor {
    let codes = networks.encoder(images, mode: .inference).sample(using: random)
    return networks.labelled(codes, of: images)
  }

  public func decode(_ codes: Tensor) -> Tensor { networks.decoder(codes, mode: .inference) }

  public var samplers: [Sampler] {
    [.standardNormal(latentSize: configuration.latentSize, labels)]
  }

  public var labels: CodeLabels? { networks.labels }

  /// p(x | z) N(z; 0, I).
  public var density: LogDensity? { density(prior: "N(0, I)") { logNormal($0) } }

  /// The density with a prior, of which `logPrior` gives log p(z): `[N, latentSize]` → `[N]`.
  func density(prior: String, _ logPrior: @escaping (Tensor) -> Tensor) -> LogDensity {
    LogDensity(configuration.likelihood, prior: prior) { image, draws, random in
      let posterior = networks.encoder(image, mode: .inference).repeated(draws)
      let codes = posterior.sample(using: random)
      return networks.logLikelihood(of: image, given: codes) + logPrior(codes)
        - posterior.logDensity(of: codes)
    }
  }

  /// −E[log p(x | z)] + KL(q(z | x) ‖ N(0, I)).
  public func negativeELBO(_ images: Tensor, using random: RandomSource) -> Tensor? {
    let (posterior, _, reconstruction) = networks.autoencode(
      images, using: random, mode: .inference)
    return reconstruction + posterior.kl
  }
}

/// The latent sizes of FlexAE's comparison: 32 for grey images, 128 for colour.
func comparedLatentSize(_ images: ImageShape) -> Int { images.channels == 1 ? 32 : 128 }
