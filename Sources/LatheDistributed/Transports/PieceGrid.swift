/// Which ranks work on which part of the vector, the same on every rank.
///
/// The vector is cut into pieces of equal size. A piece is added up by one group, its owner. Within
/// each group one rank handles it: in the owner it adds, in the others it sends what its group has
/// and takes the sum. Owners and handlers alternate, so groups and ranks have equal shares.
struct PieceGrid {
  let groups: HostGroups
  /// The floats of a piece.
  let size: Int

  /// A part of a piece, within the ranges that are summed.
  struct Piece {
    let number: Int
    let range: Range<Int>
  }

  /// At most 512 KiB; less where ranks would have less than eight pieces each, or where
  /// `partialSums`, which all groups bring, would take more than 16 MiB.
  init(_ groups: HostGroups, count: Int, partialSums: Int) {
    self.groups = groups
    let share = count / (8 * groups.count * groups.mostRanks) / 1024 * 1024
    size = max(4096, min(131_072, share, (4 << 20) / partialSums / 1024 * 1024))
  }

  func owner(of piece: Piece) -> Int { piece.number % groups.count }

  /// The rank that handles a piece in a group.
  func handler(of piece: Piece, in group: Int) -> Int {
    let ranks = groups.ranks[group]
    return ranks.lowerBound + piece.number / groups.count % ranks.count
  }

  /// The pieces within ranges that a rank of the own group handles, ascending.
  func pieces(of ranges: [Range<Int>], handledBy rank: Int) -> [Piece] {
    ranges.flatMap { range -> [Piece] in
      guard !range.isEmpty else { return [] }
      return (range.lowerBound / size...(range.upperBound - 1) / size).map { number in
        Piece(number: number, range: range.clamped(to: number * size..<(number + 1) * size))
      }
    }.filter { handler(of: $0, in: groups.own) == rank }
  }
}
