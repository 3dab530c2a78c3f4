import LatheNN
import LatheTensors

/// A normal distribution with independent coordinates for each image: q(z | x).
public struct Posterior {
  /// Each `[N, latentSize]`; the standardDeviation is positive.
  public let mean, standardDeviation: Tensor

  public init(mean: Tensor, standardDeviation: Tensor) {
    (self.mean, self.standardDeviation) = (mean, standardDeviation)
  }

  /// μ + σ ε, for ε of the same shape. Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR
  /// 2014, Eq. 10.
  public func sample(_ noise: Tensor) -> Tensor { mean + standardDeviation * noise }

  /// The same with noise for the purpose "posterior".
  public func sample(using random: RandomSource) -> Tensor {
    sample(random.normal("posterior", mean.shape))
  }

  /// The distributions of some of the images.
  func rows(_ range: Range<Int>) -> Posterior {
    Posterior(
      mean: mean.slice(range, axis: 0), standardDeviation: standardDeviation.slice(range, axis: 0))
  }

  /// The distributions of images `indices`, in that order; they may repeat.
  func gather(_ indices: [Int]) -> Posterior {
    Posterior(mean: mean.gather(indices), standardDeviation: standardDeviation.gather(indices))
  }

  /// KL(q(z | x) ‖ N(0, I)), averaged over the images, in nats.
  public var kl: Tensor { normalKL(mean: mean, standardDeviation: standardDeviation) }
}

/// An encoder with two heads, which give mean and standard deviation of q(z | x).
///
/// Both heads are one fully connected layer of twice the latent size; the architecture says how its
/// second half becomes a standard deviation. On demand the layer gives a context of the image too.
public struct GaussianEncoder {
  private let network: any EncoderNetwork
  private let architecture: any Architecture
  private let latentSize, contextSize: Int

  /// Shapes: `[N, H, W, C]` → two of `[N, latentSize]`.
  public init(
    _ scope: Scope, images: ImageShape, settings: AutoencoderSettings, contextSize: Int = 0
  ) {
    architecture = settings.networks.architecture
    latentSize = settings.latentSize
    self.contextSize = contextSize
    network = architecture.encoder(
      scope, images: images, outputs: 2 * latentSize + contextSize, size: settings.size)
  }

  public func callAsFunction(_ images: Tensor, mode: Mode) -> Posterior {
    withContext(images, mode: mode).posterior
  }

  /// The posterior, and the context `[N, contextSize]` if there is one.
  public func withContext(_ images: Tensor, mode: Mode) -> (posterior: Posterior, context: Tensor?)
  {
    let all = network(images, mode: mode)
    let second = all.slice(latentSize..<2 * latentSize, axis: 1)
    let posterior = Posterior(
      mean: all.slice(0..<latentSize, axis: 1),
      standardDeviation: architecture.standardDeviation(second))
    let rest = 2 * latentSize..<2 * latentSize + contextSize
    return (posterior, rest.isEmpty ? nil : all.slice(rest, axis: 1))
  }
}
