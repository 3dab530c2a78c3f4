import CMPI

/// The part of a `TreeReduction` that depends on the transport: where slots lie and how the
/// partial sums of ranks are added.
protocol SlotTransport: AnyObject {
  /// This rank's slots, `count` floats each.
  var slots: [UnsafeMutablePointer<Float>] { get }
  /// The whole tree's sum after `allReduce`.
  var result: UnsafePointer<Float> { get }
  /// Adds up what remains in the slots of all ranks, within `ranges`.
  func allReduce(ranges: [Range<Int>], backOff: BackOff) throws(MPIError)
  /// Begins sums of shards, and adds up what remains in the slots of all ranks within `ranges`.
  func beginShards(_ shards: [Range<Int>], allReducing ranges: [Range<Int>]) throws(MPIError)
  /// Adds up a piece of this rank's shard, for this rank alone.
  func sumShard(_ piece: Range<Int>)
  /// Waits until all ranks have added up their shards.
  func endShards() throws(MPIError)
  /// This rank's shard of `ranges`.
  func shard(of ranges: [Range<Int>]) -> [Range<Int>]
  /// Gives back what the ranks share.
  func free() throws(MPIError)
}

/// Where every rank has the whole sum, its shard is everything.
extension SlotTransport {
  func beginShards(_ shards: [Range<Int>], allReducing ranges: [Range<Int>]) throws(MPIError) {
    let all = (shards + ranges).sorted { $0.lowerBound < $1.lowerBound }
    try allReduce(ranges: all, backOff: .none)
  }

  func sumShard(_ piece: Range<Int>) {}
  func endShards() {}

  func shard(of ranges: [Range<Int>]) -> [Range<Int>] { ranges }
}

/// What every rank has in its slots, and how it is added.
struct SlotLayout {
  let count: Int
  /// How each rank adds its own slices.
  let plans: [SliceTree.Plan]
  /// How the sums that remain on all ranks are added.
  let acrossRanks: SliceTree.Plan

  init(tree: SliceTree, ranks: Int, count: Int) {
    self.count = count
    plans = (0..<ranks).map { tree.plan(ofRank: $0, of: ranks) }
    acrossRanks = tree.planAcrossRanks(ranks: ranks)
  }

  /// How many sums each rank brings to the all-reduce.
  var operands: [Int] { plans.map(\.remaining.count) }

  /// The number of the first sum that each rank brings.
  var firstOperands: [Int] {
    var next = 0
    return operands.map { count in
      defer { next += count }
      return next
    }
  }
}

/// One rank: its own additions are the whole tree.
final class LocalTransport: SlotTransport {
  private let memory: SlotMemory
  var slots: [UnsafeMutablePointer<Float>] { memory.slots }
  var result: UnsafePointer<Float> { UnsafePointer(memory.slots[0]) }

  init(_ layout: SlotLayout) throws(MPIError) {
    memory = try SlotMemory(slots: layout.plans[0].slotCount, count: layout.count)
  }

  func allReduce(ranges: [Range<Int>], backOff: BackOff) {}
  func free() {}
}

typealias ChosenTransport = (transport: Transport, reason: String, slots: any SlotTransport)

/// The transport that is demanded, or the best one that can be had.
///
/// - Throws: when shared memory is demanded and cannot be had, on all ranks.
func chooseTransport(
  _ communicator: Communicator, _ layout: SlotLayout, demanded: Transport,
  sharedMemoryLimit: Int
) throws(MPIError) -> ChosenTransport {
  guard communicator.size > 1 else { return try (.local, "1 rank", LocalTransport(layout)) }
  var reason = "as demanded"
  switch demanded {
  case .local:
    throw MPIError(
      routine: "TreeReduction", text: "transport local with \(communicator.size) ranks, expected 1")
  case .messages: break
  case .automatic, .sharedMemory:
    switch try SharedMemoryTransport.make(communicator, layout, limit: sharedMemoryLimit) {
    case .made(let window): return (.sharedMemory, window.summary, window)
    case .impossible(let why): reason = why
    }
    guard demanded == .automatic else {
      throw MPIError(routine: "TreeReduction", text: "no shared memory: \(reason)")
    }
  }
  return try (.messages, reason, MessageTransport(communicator, layout))
}

/// sum += other, for `count` floats.
func accumulate(
  _ sum: UnsafeMutablePointer<Float>, _ other: UnsafePointer<Float>, _ count: Int
) {
  cmpi_accumulate(sum, other, count)
}

/// sum = a + b, for `count` floats; `sum` may be one of the two.
func add(
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
