import CMPI

/// Adds partial sums in the tree's order, block by block, so that open sums stay in the first
/// cache.
final class PartialSumReducer {
  let plan: SliceTree.Plan
  private let open: SlotMemory
  private let blockFloats = 4096

  init(_ plan: SliceTree.Plan) throws(MPIError) {
    self.plan = plan
    open = try SlotMemory(slots: plan.slotCount, count: blockFloats)
  }

  /// Whether there is nothing to add: what remains are the operands themselves.
  var isIdentity: Bool { plan.merges.allSatisfy(\.isEmpty) }

  /// Adds up `operands`, `count` floats each, and writes each sum that remains to the places of its
  /// own in `results`.
  ///
  /// Results may be operands: a block of them is written when it has been read from all operands.
  func add(
    _ operands: [UnsafePointer<Float>], into results: [[UnsafeMutablePointer<Float>]], count: Int
  ) {
    var stack = [UnsafePointer<Float>](repeating: operands[0], count: plan.slotCount)
    for start in stride(from: 0, to: count, by: blockFloats) {
      let block = min(blockFloats, count - start)
      addBlock(operands, at: start, block, results, &stack)
      for (sum, copies) in zip(stack, results) {
        for copy in copies where UnsafePointer(copy + start) != sum {
          (copy + start).update(from: sum, count: block)
        }
      }
    }
  }

  /// Leaves the sums that remain on the stack.
  private func addBlock(
    _ operands: [UnsafePointer<Float>], at start: Int, _ count: Int,
    _ results: [[UnsafeMutablePointer<Float>]], _ stack: inout [UnsafePointer<Float>]
  ) {
    for operand in operands.indices {
      stack[plan.slots[operand]] = operands[operand] + start
      let merges = plan.merges[operand]
      for merge in merges.indices {
        let (left, right) = (merges[merge].destination, merges[merge].source)
        // The last addition of the last operand is written where it is wanted: nobody reads there
        // any more.
        let isLast = operand == operands.count - 1 && merge == merges.count - 1
        let sum = isLast && left == 0 ? results[0][0] + start : open.slots[left]
        LatheDistributed.add(sum, stack[left], stack[right], count)
        stack[left] = UnsafePointer(sum)
      }
    }
  }
}

/// sum += other, for `count` floats.
func accumulate(
  _ sum: UnsafeMutablePointer<Float>, _ other: UnsafePointer<Float>, _ count: Int
) {
  cmpi_accumulate(sum, other, count)
}

/// sum = a + b, for `count` floats; `sum` may be one of the two.
private func add(
  _ sum: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  _ count: Int
) {
  if UnsafePointer(sum) == a {
    cmpi_accumulate(sum, b, count)
  } else if UnsafePointer(sum) == b {
    cmpi_accumulate(sum, a, count)
  } else {
    cmpi_add(sum, a, b, count)
  }
}
