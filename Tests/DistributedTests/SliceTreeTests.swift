import LatheDistributed
import Testing

@Suite struct SliceTreeTests {
  /// The tree by its definition, as text: levels of neighbours joined, an odd one carried up.
  private func definition(_ slices: Int) -> String {
    var level = (0..<slices).map { "\($0)" }
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map {
        $0 + 1 < level.count ? "(\(level[$0])+\(level[$0 + 1]))" : level[$0]
      }
    }
    return level[0]
  }

  /// What a plan computes, as text; slots that were merged away hold nothing.
  private func follow(_ plan: SliceTree.Plan, _ operands: [String]) -> [String] {
    var slots = [String?](repeating: nil, count: plan.slotCount)
    for (index, operand) in operands.enumerated() {
      #expect(slots[plan.slots[index]] == nil, "operand \(index) overwrites a sum")
      slots[plan.slots[index]] = operand
      for merge in plan.merges[index] {
        slots[merge.destination] = "(\(slots[merge.destination]!)+\(slots[merge.source]!))"
        slots[merge.source] = nil
      }
    }
    #expect(slots.drop { $0 != nil }.allSatisfy { $0 == nil }, "sums remain at the bottom")
    return slots.compactMap { $0 }
  }

  /// All ranks' sums, completed, as text.
  private func total(_ tree: SliceTree, ranks: Int) -> [String] {
    let remaining = (0..<ranks).flatMap { rank in
      let mine = tree.slices(ofRank: rank, of: ranks)
      return follow(tree.plan(ofRank: rank, of: ranks), mine.map { "\($0)" })
    }
    return follow(tree.planAcrossRanks(ranks: ranks), remaining)
  }

  @Test func writtenOut() {
    #expect(total(SliceTree(slices: 1), ranks: 1) == ["0"])
    #expect(total(SliceTree(slices: 3), ranks: 1) == ["((0+1)+2)"])
    #expect(total(SliceTree(slices: 6), ranks: 3) == ["(((0+1)+(2+3))+(4+5))"])
    #expect(total(SliceTree(slices: 7), ranks: 7) == ["(((0+1)+(2+3))+((4+5)+6))"])
  }

  @Test(arguments: 1...48) func associationDoesNotDependOnRanks(slices: Int) {
    let tree = SliceTree(slices: slices)
    for ranks in 1...slices where slices % ranks == 0 {
      #expect(total(tree, ranks: ranks) == [definition(slices)], "\(slices) slices, \(ranks) ranks")
    }
  }

  /// The check above must see another order: the sequence differs from the tree.
  @Test func associationIsSeen() {
    let sequence = (1..<4).reduce("0") { "(\($0)+\($1))" }
    #expect(sequence == "(((0+1)+2)+3)")
    #expect(total(SliceTree(slices: 4), ranks: 2) != [sequence])
    #expect(definition(4) != sequence)
  }

  /// Maximal subtrees inside a block, by brute force: all nodes of all levels that lie inside it,
  /// without those inside another.
  @Test(arguments: [6, 10, 12, 15, 20, 24]) func remainingAreMaximalSubtrees(slices: Int) {
    let tree = SliceTree(slices: slices)
    var ranges: Set<Range<Int>> = []
    for level in 0..<6 {
      for lower in stride(from: 0, to: slices, by: 1 << level) {
        ranges.insert(lower..<min(lower + 1 << level, slices))
      }
    }
    for ranks in 1...slices where slices % ranks == 0 {
      for rank in 0..<ranks {
        let block = tree.slices(ofRank: rank, of: ranks)
        let inside = ranges.filter {
          block.contains($0.lowerBound) && $0.upperBound <= block.upperBound
        }
        let maximal = inside.filter { range in
          !inside.contains { $0 != range && $0.clamped(to: range) == range }
        }
        let found = tree.plan(ofRank: rank, of: ranks).remaining.map { tree.range(of: $0) }
        #expect(found == maximal.sorted { $0.lowerBound < $1.lowerBound })
      }
    }
  }

  @Test func levelsAndIndices() {
    let tree = SliceTree(slices: 12)
    let remaining = tree.plan(ofRank: 1, of: 4).remaining  // slices 3, 4, 5
    #expect(remaining.map(\.level) == [0, 1])
    #expect(remaining.map(\.index) == [3, 2])
    let root = tree.plan(ofRank: 0, of: 1).remaining[0]
    #expect(root.level == 4)
    #expect(tree.range(of: root) == 0..<12)
    #expect(tree.parent(of: root) == nil)
    // Slices 8 to 11 are carried past level 3.
    let last = tree.plan(ofRank: 2, of: 3).remaining
    #expect(last.map(\.level) == [2])
    #expect(last.map { tree.parent(of: $0) } == [root])
  }

  /// A binary counter: S = 2^k needs k + 1 slots, or 1 when a rank has one slice.
  @Test(arguments: [0, 1, 2, 3, 6]) func slotCount(exponent: Int) {
    let tree = SliceTree(slices: 1 << exponent)
    #expect(tree.plan(ofRank: 0, of: 1).slotCount == exponent + 1)
    #expect(tree.plan(ofRank: 0, of: 1 << exponent).slotCount == 1)
  }
}
