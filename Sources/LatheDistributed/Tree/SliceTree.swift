import LatheFiles

/// The fixed binary tree in which values of slices 0 ..< S are added.
///
/// Concretely, neighbours are added in pairs, then neighbouring sums in pairs, up to the whole:
/// ((0+1)+(2+3))+((4+5)+…). A value without a right neighbour is carried up as it is. The tree
/// depends on S alone, so whoever follows it gets the same bits: addition of floats is commutative
/// but not associative.
public struct SliceTree: Sendable {
  /// S, the number of slices.
  public let slices: Int

  /// The tree over `slices` slices, at least 1.
  public init(slices: Int) {
    require(slices >= 1, "SliceTree: expected at least 1 slice, found \(slices)")
    self.slices = slices
  }

  /// A subtree: slices `index · 2^level` up to, but not including, `(index + 1) · 2^level`, as far
  /// as they exist.
  ///
  /// A subtree that was carried up has the level at which its last addition happened, so each
  /// subtree has one name.
  public struct Node: Hashable, Sendable {
    /// The height: 0 for a single slice.
    public let level: Int
    /// The position among the nodes of its level.
    public let index: Int
  }

  /// One addition: the slot `destination` takes up the slot `source`, which is then free.
  public struct Merge: Hashable, Sendable {
    /// The slot that is added to.
    public let destination: Int
    /// The slot that is added.
    public let source: Int
  }

  /// How consecutive operands are added one after another as they come, with as few open sums as
  /// possible.
  public struct Plan: Sendable {
    /// For each operand, the slot that it is put into.
    public internal(set) var slots: [Int] = []
    /// For each operand, the additions that are due once it is there, in order.
    public internal(set) var merges: [[Merge]] = []
    /// How many slots are needed at most.
    public internal(set) var slotCount = 0
    /// The subtrees that are left at the end: `remaining[i]` is in slot i.
    public internal(set) var remaining: [Node] = []
  }

  /// A single slice.
  public func leaf(_ slice: Int) -> Node {
    require((0..<slices).contains(slice), "SliceTree: no slice \(slice) among \(slices)")
    return Node(level: 0, index: slice)
  }

  /// The slices of a subtree.
  public func range(of node: Node) -> Range<Int> {
    node.index << node.level..<min((node.index + 1) << node.level, slices)
  }

  /// The subtree that the node is added into next; nil for the root.
  public func parent(of node: Node) -> Node? {
    var level = node.level
    let range = range(of: node)
    guard range.count < slices else { return nil }
    while true {
      level += 1
      let parent = self.node(level: level, index: range.lowerBound >> level)
      if parent != node { return parent }
    }
  }

  /// The slices of one rank out of `ranks`, which must divide the number of slices.
  public func slices(ofRank rank: Int, of ranks: Int) -> Range<Int> {
    require(
      ranks >= 1 && slices % ranks == 0, "SliceTree: \(slices) slices among \(ranks) ranks")
    require((0..<ranks).contains(rank), "SliceTree: no rank \(rank) among \(ranks)")
    let share = slices / ranks
    return rank * share..<(rank + 1) * share
  }

  /// How a rank adds its own slices; operand i is the rank's i-th slice.
  public func plan(ofRank rank: Int, of ranks: Int) -> Plan {
    plan(adding: slices(ofRank: rank, of: ranks).map(leaf))
  }

  /// How the sums that remain on all ranks are added; operands in rank order, each rank's in slice
  /// order.
  ///
  /// One sum remains, the whole tree's, in slot 0.
  public func planAcrossRanks(ranks: Int) -> Plan {
    plan(adding: (0..<ranks).flatMap { plan(ofRank: $0, of: ranks).remaining })
  }

  /// How consecutive subtrees are added: a stack on which two neighbours are joined as soon as both
  /// are complete, as in a binary counter.
  func plan(adding operands: [Node]) -> Plan {
    var plan = Plan()
    for operand in operands {
      plan.slots.append(plan.remaining.count)
      plan.remaining.append(operand)
      plan.slotCount = max(plan.slotCount, plan.remaining.count)
      plan.merges.append(joinComplete(&plan.remaining))
    }
    return plan
  }

  /// Joins the top of the stack while its two topmost subtrees are the two children of a third.
  private func joinComplete(_ stack: inout [Node]) -> [Merge] {
    var merges: [Merge] = []
    while stack.count >= 2 {
      let (left, right) = (stack[stack.count - 2], stack[stack.count - 1])
      guard let parent = parent(of: left), parent == self.parent(of: right) else { break }
      merges.append(Merge(destination: stack.count - 2, source: stack.count - 1))
      stack.removeLast(2)
      stack.append(parent)
    }
    return merges
  }

  /// The subtree under its one name: a node with only a left child is that child.
  private func node(level: Int, index: Int) -> Node {
    var (level, index) = (level, index)
    while level > 0 && (2 * index + 1) << (level - 1) >= slices {
      level -= 1
      index *= 2
    }
    return Node(level: level, index: index)
  }
}
