/// Cuts of a list of ranges, the same on every rank.
enum Partition {
  /// The ranges in pieces of at most `size` floats.
  static func pieces(of ranges: [Range<Int>], size: Int) -> [Range<Int>] {
    ranges.flatMap { range in
      stride(from: range.lowerBound, to: range.upperBound, by: size).map {
        $0..<min($0 + size, range.upperBound)
      }
    }
  }
}
