import Glibc

/// Private memory for slots, on huge pages where the system has them. All of it is touched at once,
/// so that no training step pays for it.
final class SlotMemory {
  /// The slots, each of `count` floats and 64-byte aligned.
  let slots: [UnsafeMutablePointer<Float>]
  private let memory: UnsafeMutableRawPointer

  private static let hugePage = 2 << 20

  /// - Throws: when the system has no such memory.
  init(slots slotCount: Int, count: Int) throws(MPIError) {
    let stride = paddedFloats(count)
    let bytes = slotCount * stride * MemoryLayout<Float>.stride
    let (alignment, size) = bytes < Self.hugePage ? (4096, bytes) : Self.hugePages(bytes)
    guard let memory = aligned_alloc(alignment, size) else {
      throw MPIError(
        routine: "TreeReduction", text: "no memory for \(slotCount) slots of \(count) floats")
    }
    if alignment == Self.hugePage { madvise(memory, size, MADV_HUGEPAGE) }
    memset(memory, 0, size)
    let floats = memory.bindMemory(to: Float.self, capacity: slotCount * stride)
    self.memory = memory
    slots = (0..<slotCount).map { floats + $0 * stride }
  }

  private static func hugePages(_ bytes: Int) -> (alignment: Int, size: Int) {
    (hugePage, (bytes + hugePage - 1) / hugePage * hugePage)
  }

  deinit { Glibc.free(memory) }
}

/// The floats from one slot to the next: whole pages, at least one.
func paddedFloats(_ count: Int) -> Int { max(1, (count + 1023) / 1024) * 1024 }
