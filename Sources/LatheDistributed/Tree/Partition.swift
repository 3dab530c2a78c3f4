/// Cuts of a list of ranges, the same on every rank.
enum Partition {
  /// The shard of one of `ranks` ranks in the floats of `ranges`: equal shards, cut at multiples of
  /// a cache line.
  static func shard(_ rank: Int, of ranks: Int, ranges: [Range<Int>]) -> [Range<Int>] {
    let total = ranges.reduce(0) { $0 + $1.count }
    let lower = cut(rank, of: ranks, total: total)
    let upper = cut(rank + 1, of: ranks, total: total)
    var start = 0  // of the range, in floats of the ranges before it
    var result: [Range<Int>] = []
    for range in ranges {
      let inside = max(lower, start)..<max(lower, start, min(upper, start + range.count))
      let shift = range.lowerBound - start
      if !inside.isEmpty { result.append(inside.lowerBound + shift..<inside.upperBound + shift) }
      start += range.count
    }
    return result
  }

  /// The ranges in pieces of at most `size` floats.
  static func pieces(of ranges: [Range<Int>], size: Int) -> [Range<Int>] {
    ranges.flatMap { range in
      stride(from: range.lowerBound, to: range.upperBound, by: size).map {
        $0..<min($0 + size, range.upperBound)
      }
    }
  }

  private static func cut(_ rank: Int, of ranks: Int, total: Int) -> Int {
    rank == ranks ? total : total * rank / ranks / 16 * 16
  }
}
