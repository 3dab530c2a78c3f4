import LatheData
import LatheTensors

/// Real images of a split: all of it, or so many, drawn randomly.
struct RealImages {
  let set: ImageSet
  /// Numbers in the set, ascending.
  let numbers: [Int]

  /// What images are drawn for: each kind of draws is its own.
  enum Purpose: Int { case reference = 1, partners, training, subset }

  /// All images if there are no more than `count`, else as many, drawn without replacement.
  init(_ set: ImageSet, count: Int, seed: UInt64, for purpose: Purpose = .reference) {
    self.set = set
    numbers = Self.drawn(count, of: set.count, seed: seed, for: purpose)
  }

  /// Ascending numbers below `total`: all if there are no more than `count`, else as many, drawn
  /// without replacement.
  static func drawn(_ count: Int, of total: Int, seed: UInt64, for purpose: Purpose) -> [Int] {
    var shuffled = Array(0..<total)
    guard count < total else { return shuffled }
    let random = CounterRandom(seed: seed).stream(purpose.rawValue)
    for i in 0..<count { shuffled.swapAt(i, i + random.integer(i, below: total - i)) }
    return shuffled[..<count].sorted()
  }

  var count: Int { numbers.count }

  /// In words: "10,000 of 19,962 test images".
  var description: String {
    let name = "\(set.name) \(set.split.rawValue)"
    return count == set.count
      ? "all \(count) \(name) images" : "\(count) of \(set.count) \(name) images"
  }

  /// Images of places in ``numbers``, `[n, H, W, C]` in [0, 1].
  func images(_ range: Range<Int>) -> Tensor { images(Array(range)) }

  func images(_ places: [Int]) -> Tensor { set.tensor(places.map { numbers[$0] }) }

  /// For each of a range of places another place, drawn randomly.
  func partners(_ range: Range<Int>, seed: UInt64) -> [Int] {
    let random = CounterRandom(seed: seed).stream(Purpose.partners.rawValue)
    return range.map { place in
      guard count > 1 else { return place }
      return (place + 1 + random.integer(place, below: count - 1)) % count
    }
  }
}
