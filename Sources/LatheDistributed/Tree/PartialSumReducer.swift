/// Adds the partial sums of all ranks in the tree's order, block by block, so that open sums stay
/// in the first cache.
final class PartialSumReducer {
  private let plan: SliceTree.Plan
  private let open: SlotMemory
  private let blockFloats = 4096

  init(_ plan: SliceTree.Plan) throws(MPIError) {
    self.plan = plan
    open = try SlotMemory(slots: plan.slotCount, count: blockFloats)
  }

  /// Writes the tree's sum of `operands` to each of `results`, `count` floats each.
  ///
  /// Results may be operands: a block of them is written when it has been read from all operands.
  func add(
    _ operands: [UnsafePointer<Float>], into results: [UnsafeMutablePointer<Float>], count: Int
  ) {
    var stack = [UnsafePointer<Float>](repeating: operands[0], count: plan.slotCount)
    for start in stride(from: 0, to: count, by: blockFloats) {
      let block = min(blockFloats, count - start)
      addBlock(operands, at: start, block, results[0], &stack)
      for copy in results.dropFirst() {
        (copy + start).update(from: results[0] + start, count: block)
      }
    }
  }

  private func addBlock(
    _ operands: [UnsafePointer<Float>], at start: Int, _ count: Int,
    _ result: UnsafeMutablePointer<Float>, _ stack: inout [UnsafePointer<Float>]
  ) {
    for operand in operands.indices {
      stack[plan.slots[operand]] = operands[operand] + start
      let merges = plan.merges[operand]
      for merge in merges.indices {
        let (left, right) = (merges[merge].destination, merges[merge].source)
        // The last addition of the last operand is the root's.
        let isRoot = operand == operands.count - 1 && merge == merges.count - 1
        let sum = isRoot ? result + start : open.slots[left]
        LatheDistributed.add(sum, stack[left], stack[right], count)
        stack[left] = UnsafePointer(sum)
      }
    }
  }
}
