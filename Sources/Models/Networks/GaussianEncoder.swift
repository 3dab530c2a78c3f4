import Datasets
import Layers
import Tensors

/// A normal distribution with independent coordinates for each image: q(z | x).
public struct Posterior {
  /// Each `[N, latentSize]`; the deviation is positive.
  public let mean, deviation: Tensor

  /// μ + σ ε, for ε of the same shape. Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, Eq. 10.
  public func sample(_ noise: Tensor) -> Tensor { mean + deviation * noise }
}

/// An encoder with two heads, which give the mean and the deviation of q(z | x).
///
/// Both heads are one fully connected layer of twice the latent size. The second half becomes the deviation as the family's authors
/// have it: 10⁻⁶ + softplus for A4; for the others, which come without one, exp(½ log σ²) with log σ² held within
/// [−6, 2], as in the released code of VampPrior (Tomczak and Welling, AISTATS 2018).
public struct GaussianEncoder {
  private let network: any EncoderNetwork
  private let family: NetworkFamily
  private let latentSize: Int

  /// Shapes: `[N, H, W, C]` → two of `[N, latentSize]`.
  public init(
    _ scope: Scope, _ family: NetworkFamily, images: ImageShape, latentSize: Int, size: NetworkSize
  ) {
    network = family.encoder(scope, images: images, outputs: 2 * latentSize, size: size)
    self.family = family
    self.latentSize = latentSize
  }

  public func callAsFunction(_ images: Tensor, mode: Mode) -> Posterior {
    let both = network(images, mode: mode)
    let second = both.slice(latentSize..<2 * latentSize, axis: 1)
    return Posterior(
      mean: both.slice(0..<latentSize, axis: 1),
      deviation: family == .a4 ? softplus(second) + 1e-6 : exp(0.5 * second.clamped(to: -6...2)))
  }
}
