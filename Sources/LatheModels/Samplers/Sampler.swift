import Foundation
import LatheTensors

/// A way to draw codes, which the decoder turns into new images.
public struct Sampler {
  /// What `--sampler` calls it; a model may have names of its own.
  public struct Name: RawRepresentable, Hashable, Codable, Sendable {
    public let rawValue: String

    /// Former names give the present ones.
    public init(rawValue: String) { self.rawValue = Name.currentName(of: rawValue) ?? rawValue }

    public init(_ name: String) { self.init(rawValue: name) }

    /// The present name of a sampler that had another before; nil for other names.
    public static func currentName(of former: String) -> String? {
      former == "ancestral" ? "aggregated-posterior" : nil
    }

    /// N(0, I), or the generator that a model has learned in its place.
    public static let prior = Name("prior")
    /// A second autoencoder, of the codes.
    public static let secondStage = Name("second-stage")
    /// Posteriors of learned inputs, one of them drawn for each code.
    public static let pseudoInputs = Name("pseudo-inputs")
    /// Draws from N(0, I), drawn again by importance.
    public static let importance = Name("importance")
    /// N(0, I), moved to where codes are likelier.
    public static let langevin = Name("langevin")
    /// Posteriors of training images, one of them drawn for each code; fitted after training.
    public static let aggregatedPosterior = Name("aggregated-posterior")
    /// A mixture of normal distributions; fitted to the codes of training images.
    public static let gmm = Name("gmm")
    /// A Dirichlet process mixture of normal distributions; fitted to the codes of training images.
    public static let dirichletGMM = Name("dirichlet-gmm")
    /// Noise carried along a velocity that is trained on the codes of training images.
    public static let flow = Name("flow")

    /// What codes are, in words; nil for a program's own sampler.
    public var summary: String? {
      switch self {
      case .prior: "N(0, I), or the generator that a model has learned in its place"
      case .secondStage: "a second autoencoder, of the codes"
      case .pseudoInputs: "posteriors of learned inputs, one of them drawn for each code"
      case .importance: "draws from N(0, I), of which one is chosen by importance"
      case .langevin: "draws from N(0, I), moved to where codes are likelier"
      case .aggregatedPosterior: "posteriors of training images, one of them drawn for each code"
      case .gmm: "a mixture of normal distributions, fitted to the codes of training images"
      case .dirichletGMM:
        "a Dirichlet process mixture of normal distributions, fitted to the same codes"
      case .flow: "noise carried along a velocity that is trained on the same codes"
      default: nil
      }
    }
  }

  public let name: Name
  /// `count` codes, `[count, latentSize]`.
  public let draw: (_ count: Int, _ random: RandomSource) -> Tensor
  /// Codes for given labels, which follow them, `[N, labelSize]` → `[N, m + labelSize]`; nil if the
  /// model is not conditional.
  public let drawFor: ((_ labels: Tensor, _ random: RandomSource) -> Tensor)?

  public init(_ name: Name, draw: @escaping (_ count: Int, _ random: RandomSource) -> Tensor) {
    (self.name, self.draw, drawFor) = (name, draw, nil)
  }

  /// Of a conditional model, `codes` those of given labels; without any, of labels of training
  /// images, drawn randomly.
  public init(
    _ name: Name, of labels: CodeLabels,
    codes: @escaping (_ labels: Tensor, _ random: RandomSource) -> Tensor
  ) {
    func drawFor(_ rows: Tensor, _ random: RandomSource) -> Tensor {
      concatenated([codes(rows, random), rows], axis: 1)
    }
    (self.name, self.drawFor) = (name, drawFor)
    draw = { count, random in drawFor(labels.drawn(count, random), random) }
  }

  /// z ~ N(0, I), `[count, latentSize]`; with labels of training images behind it, of a
  /// conditional model.
  public static func standardNormal(latentSize: Int, _ labels: CodeLabels? = nil) -> Sampler {
    guard let labels else { return Sampler(.prior) { $1.normal("prior", [$0, latentSize]) } }
    return Sampler(.prior, of: labels) { $1.normal("prior", [$0.shape[0], latentSize]) }
  }
}

/// Place of the first weight at which the running sum of all exceeds `chance` of the total: a draw
/// in proportion to the weights, where `chance` is uniform in [0, 1).
func drawn(from logWeights: ArraySlice<Float>, _ chance: Float) -> Int {
  let largest = logWeights.max()!
  let weights = logWeights.map { exp(Double($0 - largest)) }
  var rest = Double(chance) * weights.reduce(0, +)
  for (place, weight) in weights.enumerated() {
    rest -= weight
    if rest < 0 { return place }
  }
  return weights.count - 1
}
