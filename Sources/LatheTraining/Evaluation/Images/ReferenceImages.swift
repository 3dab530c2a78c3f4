import LatheData
import LatheTensors

/// The real images that a model is compared with: a split, or so many of it, drawn randomly.
struct ReferenceImages {
  let set: ImageSet
  /// Numbers in the set, ascending.
  let numbers: [Int]

  /// All images if there are no more than `count`, else as many, drawn without replacement.
  init(_ set: ImageSet, count: Int, seed: UInt64) {
    self.set = set
    guard count < set.count else {
      numbers = Array(0..<set.count)
      return
    }
    var shuffled = Array(0..<set.count)
    let random = CounterRandom(seed: seed).stream(1)
    for i in 0..<count { shuffled.swapAt(i, i + random.integer(i, below: set.count - i)) }
    numbers = shuffled[..<count].sorted()
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

  func images(_ places: [Int]) -> Tensor {
    let shape = set.shape
    let parts = places.map { set.tensor(numbers[$0]..<numbers[$0] + 1) }
    return Tensor(shape: [places.count, shape.height, shape.width, shape.channels]) { target in
      for (place, part) in parts.enumerated() {
        (target + place * shape.count).update(from: part.storage.pointer, count: shape.count)
      }
    }
  }

  /// For each of a range of places another place, drawn randomly.
  func partners(_ range: Range<Int>, seed: UInt64) -> [Int] {
    let random = CounterRandom(seed: seed).stream(2)
    return range.map { place in
      guard count > 1 else { return place }
      return (place + 1 + random.integer(place, below: count - 1)) % count
    }
  }
}
