import LatheDistributed
import LatheMetrics

extension SharedWork {
  /// Images that are searched between two reports of progress.
  private static let block = 2048

  /// The `count` nearest of some vectors to each of others, nearest first, on rank 0; nil
  /// elsewhere. Fewer where there are no more, or where values are not finite.
  ///
  /// Both sets are given on rank 0 alone. Collective: the ranks share the queries, and the result
  /// has the same bits for any number of them.
  func nearest(
    _ task: String, to queries: Features?, among vectors: Features?, count: Int
  ) throws -> [[Neighbor]]? {
    let (all, vectors) = (try broadcast(queries), try broadcast(vectors))
    var search = NearestNeighbors(of: all[rows: share(of: 0..<all.count)], count: count)
    for first in stride(from: 0, to: vectors.count, by: Self.block) {
      progress("distances of \(task)", first, vectors.count)
      let rows = first..<min(first + Self.block, vectors.count)
      try search.search(vectors[rows: rows], from: first)
    }
    // As many for each, so that they can be told apart when they are joined.
    let none = Neighbor(number: -1, distance: .infinity)
    let lists = search.found.flatMap { $0 + Array(repeating: none, count: count - $0.count) }
    return try joined(lists).map { lists in
      stride(from: 0, to: lists.count, by: count).map { start in
        Array(lists[start..<start + count].prefix { $0.number >= 0 })
      }
    }
  }

  /// Rank 0's vectors on all ranks. Collective.
  private func broadcast(_ features: Features?) throws -> Features {
    if world.size == 1, let features { return features }
    let dimensions = try world.broadcast { features?.dimensions ?? 1 }
    let bytes = features?.values.withUnsafeBytes { Array($0) } ?? []
    return Features(
      [Float](ofBytes: try world.broadcast(bytes, from: 0)), dimensions: dimensions)
  }
}
