// Goals, in order:
// 1. Distances and their order are exact (double sums of squared differences), whatever the blocks
//   and shards.
// 2. Speed: a float matrix product rules out nearly all pairs.
import LatheFiles
import LatheKernels
import LatheTensors

/// The nearest of many images to each of some queries, by Euclidean distance of pixels, found by
/// looking at all.
public struct NearestNeighbors: Sendable {
  /// What neighbours are sought for.
  public let queries: Features
  private var lists: [NearestList]
  private let norms: [Double]

  /// Of `count` neighbours for each query; no images seen yet.
  public init(of queries: Features, count: Int = 4) {
    require(count > 0, "NearestNeighbors: \(count) neighbours")
    self.queries = queries
    lists = [NearestList](repeating: NearestList(count: count), count: queries.count)
    norms = queries.squaredNorms
  }

  /// For each query its neighbours, nearest first; fewer than asked for if fewer images were seen.
  public var found: [[Neighbor]] { lists.map(\.neighbors) }

  /// Takes up what was found among other images, for each query its neighbours.
  public mutating func merge(_ others: [[Neighbor]]) {
    require(
      others.count == lists.count,
      "NearestNeighbors: neighbours of \(others.count) queries, not \(lists.count)")
    for (query, neighbors) in others.enumerated() {
      for neighbor in neighbors { lists[query].insert(neighbor) }
    }
  }

  /// Images that are multiplied at once.
  private static let block = 512
  /// What float products may be off, as a part of the squared norms.
  private static let slack = 3e-5

  /// Looks at images numbered from `first` on.
  ///
  /// - Throws: `ScoreError.sizes` if images and queries differ in size.
  public mutating func search(_ images: Features, from first: Int) throws(ScoreError) {
    try checkDimensions(queries, images)
    for start in stride(from: 0, to: images.count, by: Self.block) {
      let rows = start..<min(start + Self.block, images.count)
      searchBlock(images[rows: rows], from: first + start)
    }
  }

  private mutating func searchBlock(_ images: Features, from first: Int) {
    // |x|² + |c|² − 2 x·c, less what it may be off, is within the limit if x·c − ½ |c|² reaches a
    // bound.
    let halves = images.squaredNorms.map { Float(0.5 * (1 - Self.slack) * $0) }
    let products = queries.products(with: images)
    let (queries, norms) = (queries, norms)
    lists.withUnsafeMutableBufferPointer { lists in
      let lists = lists
      products.withUnsafeBufferPointer { products in
        Workers.forEach((lists.count + 255) / 256) { piece, _ in
          for query in piece * 256..<min(lists.count, (piece + 1) * 256) {
            let row = products.baseAddress! + query * images.count
            let norm = (1 - Self.slack) * norms[query]
            var image = 0
            while true {
              let limit = lists[query].limit
              image = firstPlace(
                from: image, where: row, minus: halves,
                reaches: Float(0.5 * (norm - limit * limit)), count: images.count)
              if image == images.count { break }
              let distance = distance(queries[query], images[image])
              lists[query].insert(Neighbor(number: first + image, distance: distance))
              image += 1
            }
          }
        }
      }
    }
  }
}

private func distance(_ one: ArraySlice<Float>, _ other: ArraySlice<Float>) -> Double {
  var sum = 0.0
  for (x, y) in zip(one, other) { sum += (Double(x) - Double(y)) * (Double(x) - Double(y)) }
  return sum.squareRoot()
}
