/// All-reduce in memory that all ranks of one host map: each rank adds its own shard of all
/// ranks' slots, and writes it to slot 0 of every rank, where each reads its own copy, or to its
/// own slot 0 when it alone takes it.
///
/// Why two barriers a call are enough, though the next step writes slots while others may still be
/// reading:
/// - A rank touches the slots of others only between the two barriers. Behind the second one they
///   are its owner's.
/// - Shards do not overlap: what a rank writes in others' slots nobody else reads or writes before
///   the second barrier.
///
/// One result for all would save the copies, but every rank would map another vector: memory that a
/// large model needs.
final class SharedMemoryTransport: SlotTransport {
  let slots: [UnsafeMutablePointer<Float>]
  /// "4 ranks on host a, 204 MB in /dev/shm".
  var summary: String { segments.summary }
  private let communicator: Communicator
  private let segments: SharedSegments
  private let reducer: PartialSumReducer
  /// The sums that remain on all ranks, in the tree's order.
  private let operands: [UnsafePointer<Float>]

  var result: UnsafePointer<Float> { UnsafePointer(slots[0]) }

  /// A window, or why there can be none.
  enum Outcome {
    case made(SharedMemoryTransport)
    case impossible(String)
  }

  /// Allocates the window if all ranks are on one host with room for it; the same outcome on every
  /// rank.
  static func make(
    _ communicator: Communicator, _ layout: SlotLayout, limit: Int
  ) throws(MPIError) -> Outcome {
    let floats = layout.plans.map { $0.slotCount * paddedFloats(layout.count) }
    switch try SharedSegments.make(communicator, floats: floats, limit: limit) {
    case .made(let segments):
      return .made(try SharedMemoryTransport(communicator, layout, segments))
    case .impossible(let why): return .impossible(why)
    }
  }

  private init(
    _ communicator: Communicator, _ layout: SlotLayout, _ segments: SharedSegments
  ) throws(MPIError) {
    let stride = paddedFloats(layout.count)
    self.communicator = communicator
    self.segments = segments
    reducer = try PartialSumReducer(layout.acrossRanks)
    operands = layout.operands.enumerated().flatMap { rank, count in
      (0..<count).map { UnsafePointer(segments.starts[rank] + $0 * stride) }
    }
    let slotCount = layout.plans[communicator.rank].slotCount
    let own = segments.starts[communicator.rank]
    slots = (0..<slotCount).map { own + $0 * stride }
    // So that no training step pays for it, and the memory lies near the rank.
    own.update(repeating: 0, count: slotCount * stride)
  }

  func allReduce(ranges: [Range<Int>], backOff: BackOff) throws(MPIError) {
    try segments.barrier()
    for range in shard(of: ranges) { add(range, into: segments.starts) }
    try segments.barrier()
  }

  func beginShards(_ shards: [Range<Int>], allReducing ranges: [Range<Int>]) throws(MPIError) {
    try segments.barrier()
    for range in shard(of: ranges) { add(range, into: segments.starts) }
  }

  func sumShard(_ piece: Range<Int>) { add(piece, into: [slots[0]]) }

  func endShards() throws(MPIError) { try segments.barrier() }

  func shard(of ranges: [Range<Int>]) -> [Range<Int>] {
    Partition.shard(communicator.rank, of: communicator.size, ranges: ranges)
  }

  func free() throws(MPIError) { try segments.free() }

  private func add(_ range: Range<Int>, into results: [UnsafeMutablePointer<Float>]) {
    let offset = range.lowerBound
    reducer.add(
      operands.map { $0 + offset }, into: results.map { $0 + offset }, count: range.count)
  }
}
