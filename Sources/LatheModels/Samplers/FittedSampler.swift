import LatheTensors

/// A sampler that is saved beside a model.
public protocol SavableSampler: SendableMetatype {
  static var name: Sampler.Name { get }
  /// What is saved.
  var tensors: [(name: String, value: Tensor)] { get }
  var sampler: Sampler { get }
}

/// A sampler that is fitted to codes of training images once a model is trained.
public protocol FittedSampler: SavableSampler {
  /// The most codes that fitting makes use of.
  static var mostCodes: Int { get }
  /// Whether the codes are to be drawn from posteriors, where a model has them, instead of being
  /// their means.
  static var wantsDrawnCodes: Bool { get }
  /// Whether it has a network that is trained, for which MPI must run; false unless it says so.
  static var isTrained: Bool { get }

  /// Fits it; collective over the processes that share the codes.
  ///
  /// - Throws: ``SamplerError``, or what the exchange throws.
  static func fitted(to codes: CodeShares, using random: RandomSource) throws -> Self

  /// From what was saved, which `read` gives by name.
  ///
  /// - Throws: ``SamplerError`` if that is no such sampler, or what `read` throws.
  init(reading read: (String) throws -> Tensor) throws
}

extension FittedSampler {
  public static var isTrained: Bool { false }
}

extension Model {
  /// The names of all samplers that suit the model: its own, and those that are fitted.
  public var samplerNames: [Sampler.Name] {
    samplers.map(\.name) + Self.fittedSamplers.map { $0.name }
  }

  /// The type of the fitted sampler of that name; nil when it is none that is fitted.
  public static func fittedSampler(named name: Sampler.Name) -> (any FittedSampler.Type)? {
    fittedSamplers.first { $0.name == name }
  }

  /// The model's own sampler of that name; nil for one that is to be fitted.
  ///
  /// - Throws: ``SamplerError`` when the model has none of that name.
  public func sampler(named name: Sampler.Name) throws(SamplerError) -> Sampler? {
    guard samplerNames.contains(name) else {
      throw .unsuitable(name, model: Self.name, has: samplerNames)
    }
    return samplers.first { $0.name == name }
  }
}

/// Why there is no sampler.
public enum SamplerError: Error, CustomStringConvertible {
  /// The model has no such sampler.
  case unsuitable(Sampler.Name, model: String, has: [Sampler.Name])
  /// There are too few codes to fit it to.
  case tooFew(codes: Int, needed: Int)
  /// The training of its network gave a number that is not finite.
  case diverged(String, step: Int)
  /// Codes are not finite, or so far from each other that their covariance is not.
  case notFinite(Sampler.Name)

  /// What was saved is no sampler for the model: which tensor, what was expected, what was found.
  case unusable(Sampler.Name, String)

  public var description: String {
    switch self {
    case .unusable(let name, let fault): "sampler \(name.rawValue): \(fault)"
    case .unsuitable(let name, let model, let has):
      "\(model): no sampler '\(name.rawValue)'; it has "
        + has.map(\.rawValue).joined(separator: ", ")
    case .tooFew(let codes, let needed):
      "sampler: expected at least \(needed) codes, found \(codes)"
    case .diverged(let phase, let step):
      "sampler: \(phase) gave a number that is not finite in step \(step)"
    case .notFinite(let name):
      "sampler \(name.rawValue): the codes of the training images are not finite, "
        + "or have no finite covariance"
    }
  }
}

extension SavableSampler {
  /// A tensor that was saved, of a shape and with finite values; zero stands for any size of at
  /// least 1.
  ///
  /// - Throws: ``SamplerError``.
  static func checked(
    _ tensor: Tensor, _ what: String, _ expected: [Int]
  ) throws(SamplerError) -> Tensor {
    let sizes = tensor.shape.sizes
    let suits = zip(sizes, expected).allSatisfy { $1 == 0 ? $0 >= 1 : $0 == $1 }
    guard sizes.count == expected.count, suits else {
      throw .unusable(name, "\(what): expected \(expected), found \(sizes)")
    }
    guard tensor.values.allSatisfy(\.isFinite) else {
      throw .unusable(name, "\(what): expected finite numbers, found others")
    }
    return tensor
  }
}
