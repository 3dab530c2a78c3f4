import LatheTensors

/// A way to draw codes, which the decoder turns into new images.
public struct Sampler {
  /// What `--sampler` calls it.
  public enum Name: String, CaseIterable, Codable, Sendable {
    /// N(0, I), or the generator that a model has learned in its place.
    case prior
    /// A second autoencoder, of the codes.
    case secondStage = "second-stage"
    /// Posteriors of learned inputs, one of them by chance for each code.
    case pseudoInputs = "pseudo-inputs"
    /// Draws from N(0, I), drawn again by importance.
    case importance
    /// Posteriors of training images, one of them by chance for each code; fitted after training.
    case ancestral
    /// A mixture of normal distributions; fitted to the codes of training images.
    case gmm
  }

  public let name: Name
  /// `count` codes, `[count, latentSize]`.
  public let draw: (_ count: Int, _ random: RandomSource) -> Tensor

  public init(_ name: Name, draw: @escaping (_ count: Int, _ random: RandomSource) -> Tensor) {
    self.name = name
    self.draw = draw
  }

  /// z ~ N(0, I).
  public static func standardNormal(latentSize: Int) -> Sampler {
    Sampler(.prior) { $1.normal("prior", [$0, latentSize]) }
  }
}
