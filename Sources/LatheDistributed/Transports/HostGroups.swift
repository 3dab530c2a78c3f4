/// Which ranks share memory: the ranks of a host, or a rank by itself where a host has no room for
/// what they would share.
///
/// The ranks of a host follow one another (``MPISession``), so their slices do, too, and a host's
/// sum has as few parts as the tree allows.
struct HostGroups {
  /// The ranks of each group, ascending.
  let ranks: [Range<Int>]
  /// The number of this rank's group.
  let own: Int

  /// `first[r]` is the first rank of the group of rank r.
  init(first: [Int], rank: Int) {
    let starts = first.indices.filter { first[$0] == $0 }
    let ends = starts.dropFirst() + [first.count]
    ranks = zip(starts, ends).map { $0..<$1 }
    own = ranks.firstIndex { $0.contains(rank) }!
  }

  var count: Int { ranks.count }

  /// The most ranks that a group has.
  var mostRanks: Int { ranks.map(\.count).max()! }

  /// The ranks of this rank's group.
  var neighbours: Range<Int> { ranks[own] }

  /// The other groups, beginning after this one, so that not all send to the same one at once.
  var others: [Int] { (1..<count).map { (own + $0) % count } }
}

/// What every rank has in its slots, and how it is added.
struct SlotLayout {
  let tree: SliceTree
  let ranks: Int
  let count: Int

  /// How a rank adds its own slices.
  func plan(of rank: Int) -> SliceTree.Plan { tree.plan(ofRank: rank, of: ranks) }

  /// The floats that a rank's slots take.
  func floats(of rank: Int) -> Int { plan(of: rank).slotCount * stride }

  /// The floats from one slot to the next.
  var stride: Int { paddedFloats(count) }

  /// The subtrees that remain on some ranks when each has added up its own.
  func partialSums(of ranks: Range<Int>) -> [SliceTree.Node] {
    ranks.flatMap { plan(of: $0).remaining }
  }

  /// How a group adds up what its ranks have.
  func plan(within group: Range<Int>) -> SliceTree.Plan {
    tree.plan(adding: partialSums(of: group))
  }
}
