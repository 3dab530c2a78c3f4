/// A sample and how far away it is.
public struct Neighbor: Sendable, Equatable, BitwiseCopyable {
  /// Which sample.
  public let number: Int
  /// Its distance.
  public let distance: Double

  /// A sample of a number at a distance.
  public init(number: Int, distance: Double) { (self.number, self.distance) = (number, distance) }
}

/// The nearest samples met so far, in ascending order; of equals, the smaller number first.
struct NearestList: Sendable {
  let count: Int
  private(set) var neighbors: [Neighbor] = []

  init(count: Int) { self.count = count }

  /// The distance of the last one, once there are `count`; ∞ before.
  var limit: Double { neighbors.count < count ? .infinity : neighbors.last?.distance ?? -.infinity }

  mutating func insert(_ neighbor: Neighbor) {
    let place =
      neighbors.lastIndex {
        ($0.distance, $0.number) < (neighbor.distance, neighbor.number)
      }.map { $0 + 1 } ?? 0
    if place >= count { return }
    neighbors.insert(neighbor, at: place)
    if neighbors.count > count { neighbors.removeLast() }
  }
}
