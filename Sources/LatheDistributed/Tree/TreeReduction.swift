import LatheFiles
import LatheKernels

/// How the ranks of a `TreeReduction` see each other's sums.
public enum Transport: String, Sendable {
  /// Chosen by the reduction: shared memory within each host that has room for it, and messages
  /// between those who share none.
  case automatic
  /// One rank: there is nothing to send.
  case local
  /// All ranks share memory.
  case sharedMemory
  /// No rank shares memory with another: messages of up to 512 KiB.
  case messages
  /// Several groups of ranks, of which some share memory.
  case hosts

  /// The name in the banner.
  var name: String {
    switch self {
    case .sharedMemory: "shared memory"
    case .hosts: "shared memory and messages"
    case .automatic, .local, .messages: rawValue
    }
  }
}

/// Sums one vector per slice over all slices of all ranks, in the order of `SliceTree`.
///
/// For each of its slices in order a rank writes `slot(for:)` and calls `finish`. Then all ranks
/// call `allReduce` and read `result`. The sum has the same bits for any number of ranks that
/// divides the number of slices, and for any layout over hosts.
///
/// A host sends what one rank would: its ranks add up what they have before it is sent, each of
/// them its share.
///
/// A reduction belongs to one thread at a time. Its collectives (`init`, `allReduce`, `free`) must
/// be called by all ranks, with the same arguments.
public final class TreeReduction {
  /// The tree over all slices.
  let tree: SliceTree
  /// The slices of this rank.
  public let slices: Range<Int>
  /// The number of floats of each vector.
  public let count: Int
  /// How sums travel; never `automatic`.
  public let transport: Transport
  /// Why this transport, for the banner: "4 ranks on host a, 204 MB in /dev/shm".
  public let transportReason: String

  /// What the ranks of this host have in common.
  let memory: HostMemory
  private let plan: SliceTree.Plan
  private let slots: [UnsafeMutablePointer<Float>]
  private let hierarchical: HierarchicalReduction
  private let wire: Wire

  /// Allocates the slots of all ranks for vectors of `count` floats. Collective.
  ///
  /// `sharedMemoryLimit` is what the ranks of a host may share, in bytes, if /dev/shm has as much.
  ///
  /// - Throws: when MPI fails, when `slices` is not a multiple of the number of ranks, when ranks
  ///   differ in their arguments, or when `transport` is demanded and cannot be had; always on all
  ///   ranks.
  public convenience init(
    _ communicator: Communicator, slices: Int, count: Int, transport: Transport = .automatic,
    sharedMemoryLimit: Int = .max
  ) throws(MPIError) {
    try self.init(
      communicator, slices: slices, count: count, state: 0, wire: .float32, transport: transport,
      sharedMemoryLimit: sharedMemoryLimit)
  }

  /// The same, with `state` floats that the ranks of a host keep together. `hosts` says on which
  /// host each rank is, for tests of several hosts on one.
  package init(
    _ communicator: Communicator, slices: Int, count: Int, state: Int = 0, wire: Wire = .float32,
    transport: Transport = .automatic, sharedMemoryLimit: Int = .max, hosts: ((Int) -> Int)? = nil
  ) throws(MPIError) {
    try requireAgreement(communicator, slices: slices, count: count, transport: transport)
    tree = SliceTree(slices: slices)
    let layout = SlotLayout(tree: tree, ranks: communicator.size, count: count)
    memory = try HostMemory(
      communicator, layout, state: state, demanded: transport, limit: sharedMemoryLimit,
      hosts: hosts)
    hierarchical = try HierarchicalReduction(communicator, memory, layout)
    self.slices = tree.slices(ofRank: communicator.rank, of: communicator.size)
    (self.count, self.wire) = (count, wire)
    let plan = layout.plan(of: communicator.rank)
    let start = memory.starts[memory.place]
    slots = (0..<plan.slotCount).map { start + $0 * layout.stride }
    self.plan = plan
    self.transport = memory.transport
    self.transportReason = memory.reason
  }

  /// Where the vector of one of this rank's slices is to be written: `count` floats, at least
  /// 64-byte aligned.
  ///
  /// Slices must be written and finished one after another, in order: slots are used again.
  /// What is in the slot is undefined, and writing to it ends the life of the previous `result`.
  public func slot(for slice: Int) -> UnsafeMutablePointer<Float> {
    slots[plan.slots[localIndex(slice)]]
  }

  /// Sets this rank's slots to zero.
  func clearSlots() {
    for slot in slots { LatheKernels.fill(slot, with: 0, count: count) }
  }

  /// Takes up the slice whose slot has been written, and does the additions that are due, within
  /// `ranges` only.
  ///
  /// `ranges` are ascending and disjoint, in floats. Ranges of the vector may be finished and
  /// reduced one after another, each of them for all slices in order.
  public func finish(slice: Int, ranges: [Range<Int>]) {
    requireRanges(ranges)
    for merge in plan.merges[localIndex(slice)] {
      let (sum, other) = (slots[merge.destination], slots[merge.source])
      for range in ranges {
        accumulate(sum + range.lowerBound, other + range.lowerBound, range.count)
      }
    }
  }

  /// Adds up the sums of all slices on all ranks within `ranges`; elsewhere `result` stays as it
  /// was. Collective.
  ///
  /// `ranges` are those given to `finish`, the same on every rank. It is a barrier too, whatever
  /// the transport. With a `backOff` a thread that waits for messages leaves its core to others.
  public func allReduce(
    ranges: [Range<Int>], backOff: BackOff = .none
  ) throws(MPIError) {
    try beginShards([], allReducing: ranges, backOff: backOff)
    try endShards()
  }

  /// Adds up the sums within `ranges` for all ranks, and begins those of each rank's shard of
  /// `shards`. Collective.
  ///
  /// Until `endShards`, each rank calls `sumShard` for the pieces of its own shard
  /// (``shard(of:)``), ascending; elsewhere in `shards` `result` means nothing. A rank that shares
  /// memory with none has all of `shards` as its shard.
  public func beginShards(
    _ shards: [Range<Int>], allReducing ranges: [Range<Int>], backOff: BackOff = .none
  ) throws(MPIError) {
    requireRanges((shards + ranges).sorted { $0.lowerBound < $1.lowerBound })
    try memory.barrier()
    try hierarchical.sumForAll(ranges, backOff)
    hierarchical.begin(shards, wire: wire, backOff)
  }

  /// Adds up the sum of a piece of this rank's shard, or waits until it is there.
  public func sumShard(_ piece: Range<Int>) throws(MPIError) { try hierarchical.sum(piece) }

  /// Waits until all ranks of this host have their shards. Collective; only then are slots written
  /// again.
  public func endShards() throws(MPIError) {
    try hierarchical.end()
    try memory.barrier()
  }

  /// This rank's shard of `ranges`.
  public func shard(of ranges: [Range<Int>]) -> [Range<Int>] { hierarchical.shard(of: ranges) }

  /// The sum over all slices, `count` floats, until the next slot is written.
  public var result: UnsafePointer<Float> { UnsafePointer(slots[0]) }

  /// Gives back what the ranks share. Collective; the reduction must not be used afterwards.
  ///
  /// A reduction that is not freed keeps its shared window until the process ends, because freeing
  /// a window is a collective and has no place in a `deinit`. Private memory needs no `free`.
  public func free() throws(MPIError) { try memory.free() }

  private func localIndex(_ slice: Int) -> Int {
    require(
      slices.contains(slice), "TreeReduction: slice \(slice) is not among mine, \(slices)")
    return slice - slices.lowerBound
  }

  private func requireRanges(_ ranges: [Range<Int>]) {
    var end = 0
    for range in ranges {
      require(
        range.lowerBound >= end && range.upperBound <= count,
        "TreeReduction: ranges \(ranges) are not ascending, disjoint and within 0..<\(count)")
      end = range.upperBound
    }
  }
}

/// Throws on all ranks when they do not ask for the same, or for what cannot be.
private func requireAgreement(
  _ communicator: Communicator, slices: Int, count: Int, transport: Transport
) throws(MPIError) {
  let mine = "\(slices) slices of \(count) floats, transport \(transport)"
  for (rank, bytes) in (try communicator.differing(Array(mine.utf8)) ?? []).enumerated() {
    let other = String(decoding: bytes, as: UTF8.self)
    guard other == mine else {
      throw MPIError(
        routine: "TreeReduction",
        text: "rank \(communicator.rank): \(mine), but rank \(rank): \(other)")
    }
  }
  guard slices >= 1, slices % communicator.size == 0, count >= 1 else {
    throw MPIError(
      routine: "TreeReduction",
      text:
        "expected at least 1 float and slices that \(communicator.size) ranks divide, found \(mine)"
    )
  }
}
