/// Cuts of a list of ranges, the same on every rank.
enum Partition {
  /// The share of one of `parts` ranks in the floats of `ranges`: equal shares, cut at multiples of
  /// a cache line.
  static func part(_ part: Int, of parts: Int, ranges: [Range<Int>]) -> [Range<Int>] {
    let total = ranges.reduce(0) { $0 + $1.count }
    let lower = cut(part, of: parts, total: total)
    let upper = cut(part + 1, of: parts, total: total)
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

  private static func cut(_ part: Int, of parts: Int, total: Int) -> Int {
    part == parts ? total : total * part / parts / 16 * 16
  }
}
