import LatheFiles
import LatheKernels

/// Random numbers as a function of a place in the run and a purpose; it has no state.
///
/// The place is whatever the source was derived from: seed, step, block repeat, slice. Asking twice
/// for the same purpose gives the same numbers, so phases that share a batch share its noise, and
/// nothing depends on who computes a slice. Philox 4×32-10: Salmon et al., "Parallel Random
/// Numbers: As Easy as 1, 2, 3", SC 2011.
public struct RandomSource {
  private let key: UInt64
  private let given: [String: Tensor]

  /// The source of a run.
  public init(seed: UInt64) { self.init(key: RandomSource.mix(seed, 0x6C61_7468_65), given: [:]) }

  private init(key: UInt64, given: [String: Tensor]) {
    self.key = key
    self.given = given
  }

  /// The source of a place within this one: a step, a slice.
  public func derived(_ number: Int) -> RandomSource {
    RandomSource(key: RandomSource.mix(key, UInt64(bitPattern: Int64(number)) &+ 1), given: given)
  }

  /// The source of a named part of this one: a parameter.
  public func derived(_ name: String) -> RandomSource {
    RandomSource(key: RandomSource.mix(key, RandomSource.hash(name)), given: given)
  }

  /// The same source with given tensors in place of the numbers for their purposes.
  public func giving(_ tensors: [String: Tensor]) -> RandomSource {
    RandomSource(key: key, given: given.merging(tensors) { $1 })
  }

  /// Standard normal numbers for a purpose.
  public func normal(_ purpose: String, _ shape: Shape) -> Tensor {
    draw(purpose, shape, isNormal: true) {
      LatheKernels.randomNormal($0, count: shape.count, key: $1, offset: 0)
    }
  }

  /// Numbers uniform in [0, 1) for a purpose.
  public func uniform(_ purpose: String, _ shape: Shape) -> Tensor {
    draw(purpose, shape, isNormal: false) {
      LatheKernels.randomUniform($0, count: shape.count, key: $1, offset: 0)
    }
  }

  /// Standard normal numbers for a purpose, drawn again beyond ±2, as TensorFlow's
  /// `truncated_normal`.
  public func truncatedNormal(_ purpose: String, _ shape: Shape) -> Tensor {
    let (drawn, count) = (normal(purpose, shape), shape.count)
    return Tensor(shape: shape) { y in
      withExtendedLifetime(drawn) { y.update(from: drawn.pointer, count: count) }
      var round = 1
      while case let beyond = countBeyond(2, y, count: count), beyond > 0 {
        let again = derived(round).normal(purpose, [beyond])
        withExtendedLifetime(again) { replaceBeyond(2, y, count: count, by: again.pointer) }
        round += 1
      }
    }
  }

  private func draw(
    _ purpose: String, _ shape: Shape, isNormal: Bool,
    _ body: (UnsafeMutablePointer<Float>, UInt64) -> Void
  ) -> Tensor {
    if let tensor = given[purpose] {
      require(tensor.shape == shape, "\(purpose): given \(tensor.shape), asked \(shape)")
      return tensor
    }
    let key = RandomSource.mix(self.key, RandomSource.hash(purpose))
    let drawn = Tensor(shape: shape) { pointer in
      Profile.measure(.random) { body(pointer, key) }
    }
    Trace.current?.noteDraw(purpose, isNormal: isNormal, drawn)
    return drawn
  }

  /// FNV-1a.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// A value that depends on every bit of both: the finaliser of SplitMix64, once for each.
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 { splitMix64(splitMix64(a) ^ b) }

  private static func splitMix64(_ state: UInt64) -> UInt64 {
    splitMix64Finalizer(state &+ splitMix64Increment)
  }
}
