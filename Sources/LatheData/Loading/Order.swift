import LatheFiles

/// Which image stands at which position of training: a function of (seed, position) and nothing
/// else.
///
/// Without replacement, positions run through epochs of whole batches: each epoch shuffles all
/// images again and drops those that do not fill its last batch. With replacement, each position
/// draws an image by itself.
///
/// The shuffle needs no memory: a Feistel network over the smallest 4ᵏ numbers that hold `count`,
/// keyed by (seed, epoch) and applied until the result is below `count` ("cycle walking": Black,
/// Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002).
public struct Order: Sendable {
  /// The number of images.
  public let count: Int
  /// Images in a global batch.
  public let batch: Int
  /// What the order is drawn from.
  public let seed: UInt64
  /// Whether each position draws from all images, rather than each epoch holding each image once.
  public let replacement: Bool

  private let random: CounterRandom

  /// An order of `count` images; without replacement, `batch` may not exceed `count`.
  public init(count: Int, batch: Int, seed: UInt64, replacement: Bool = false) {
    require(count > 0 && batch > 0, "Order: \(count) images in batches of \(batch)")
    require(
      replacement || batch <= count,
      "Order: a batch of \(batch) from \(count) images without replacement")
    self.count = count
    self.batch = batch
    self.seed = seed
    self.replacement = replacement
    random = CounterRandom(seed: seed).stream(replacement ? 1 : 0)
  }

  /// Whole batches in an epoch, at least 1.
  public var batchesPerEpoch: Int { max(count / batch, 1) }

  /// Positions in an epoch: whole batches only.
  public var positionsPerEpoch: Int { batchesPerEpoch * batch }

  /// The epoch to which a position belongs, counted from 0.
  public func epoch(of position: Int) -> Int { position / positionsPerEpoch }

  /// The number of the image at a position, 0 to `count` − 1.
  public func index(at position: Int) -> Int {
    require(position >= 0, "Order: position \(position)")
    if replacement { return random.integer(position, below: count) }
    let (epoch, place) = position.quotientAndRemainder(dividingBy: positionsPerEpoch)
    return Permutation(count: count, key: random.stream(epoch))[place]
  }

  /// Whether the image at a position is to be mirrored, where images are: half of them, drawn
  /// randomly.
  public func isFlipped(at position: Int) -> Bool {
    require(position >= 0, "Order: position \(position)")
    return flips.bits(position) & 1 == 1
  }

  /// Where the part begins that is cut out of the image at a position, where parts are: row and
  /// column, each uniform on 0 … `most`.
  func offset(at position: Int, upTo most: Int) -> (row: Int, column: Int) {
    let random = CounterRandom(seed: seed).stream(3)
    func place(_ axis: Int) -> Int { random.integer(2 * position + axis, below: most + 1) }
    return (place(0), place(1))
  }

  private var flips: CounterRandom { CounterRandom(seed: seed).stream(2) }
}

/// A keyed one-to-one map of 0 ..< count onto itself.
struct Permutation {
  private let count: Int
  private let key: CounterRandom
  private let halfBits: Int

  init(count: Int, key: CounterRandom) {
    self.count = count
    self.key = key
    let bits = Int.bitWidth - (count - 1).leadingZeroBitCount
    halfBits = max((bits + 1) / 2, 1)
  }

  subscript(_ place: Int) -> Int {
    var value = place
    repeat { value = mixed(value) } while value >= count
    return value
  }

  /// Eight rounds of (left, right) → (right, left ⊕ f(right)).
  private func mixed(_ value: Int) -> Int {
    let mask = 1 << halfBits - 1
    var left = value >> halfBits
    var right = value & mask
    for round in 0..<8 {
      let noise = Int(truncatingIfNeeded: key.bits(round << 32 | right)) & mask
      (left, right) = (right, left ^ noise)
    }
    return left << halfBits | right
  }
}
