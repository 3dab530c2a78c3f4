import LatheTensors

/// The aggregated posterior, q(z) = E[q(z | x)]: a code of a training image, drawn randomly.
///
/// Tomczak and Welling, "VAE with a VampPrior", AISTATS 2018, Section 2, call it so. One code of
/// each of at most 10,000 training images is kept, drawn from q(z | x) where a model has a
/// posterior.
public struct AggregatedPosterior: FittedSampler {
  public static let name = Sampler.Name.aggregatedPosterior
  public static let mostCodes = 10_000
  public static let wantsDrawnCodes = true

  /// `[count, latentSize]`.
  private let codes: Tensor

  public static func fitted(to codes: CodeShares, using random: RandomSource) throws
    -> AggregatedPosterior
  {
    guard codes.count > 0 else { throw SamplerError.tooFew(codes: 0, needed: 1) }
    let all = try codes.concatenated(\.codes)
    guard all.allSatisfy(\.isFinite) else { throw SamplerError.notFinite(name) }
    return AggregatedPosterior(
      codes: Tensor(all.map { Float($0) }, shape: [codes.count, codes.latentSize]))
  }

  private init(codes: Tensor) { self.codes = codes }

  public init(reading read: (String) throws -> Tensor) throws {
    codes = try Self.checked(try read("codes"), "codes", [0, 0])
  }

  public var tensors: [(name: String, value: Tensor)] { [("codes", codes)] }

  public var sampler: Sampler {
    Sampler(.aggregatedPosterior) { [codes] count, random in
      let places = random.uniform("image", [count]).values
      let last = codes.shape[0] - 1
      return codes.gather(places.map { min(Int($0 * Float(codes.shape[0])), last) })
    }
  }
}
