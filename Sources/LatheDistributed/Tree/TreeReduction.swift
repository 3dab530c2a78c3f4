import LatheFiles

/// How the ranks of a `TreeReduction` exchange their sums.
public enum Transport: String, Sendable {
  /// Chosen by the reduction: shared memory when all ranks are on one host that has room for it,
  /// else messages.
  case automatic
  /// One rank: there is nothing to exchange.
  case local
  /// Slots in a window of memory that all ranks map.
  case sharedMemory
  /// Non-blocking messages of up to 512 KiB.
  case messages
}

/// Sums one vector per slice over all slices of all ranks, in the order of `SliceTree`.
///
/// For each of its slices in order a rank writes `slot(for:)` and calls `finish`; then all ranks
/// call `complete` and read `result`. The sum has the same bits for any number of ranks that
/// divides the number of slices, and for any transport.
///
/// A reduction belongs to one thread at a time. Its collectives (`init`, `complete`, `free`) must
/// be called by all ranks, with the same arguments.
public final class TreeReduction {
  /// The slices of this rank.
  public let slices: Range<Int>
  /// The number of floats of each vector.
  public let count: Int
  /// How sums are exchanged; never `automatic`.
  public let transport: Transport
  /// Why this transport, for the banner: "4 ranks on host a, 204 MB in /dev/shm".
  public let transportReason: String

  private let plan: SliceTree.Plan
  private let exchange: any SliceExchange

  /// Allocates the slots of all ranks for vectors of `count` floats. Collective.
  ///
  /// `sharedMemoryLimit` is what the ranks of a host may share, in bytes, if /dev/shm has as much.
  ///
  /// - Throws: when MPI fails, when `slices` is not a multiple of the number of ranks, when ranks
  ///   differ in their arguments, or when `transport` is demanded and cannot be had; always on all
  ///   ranks.
  public init(
    _ communicator: Communicator, slices: Int, count: Int, transport: Transport = .automatic,
    sharedMemoryLimit: Int = .max
  ) throws(MPIError) {
    try requireAgreement(communicator, slices: slices, count: count, transport: transport)
    let tree = SliceTree(slices: slices)
    let layout = SlotLayout(tree: tree, ranks: communicator.size, count: count)
    let choice = try chooseExchange(
      communicator, layout, demanded: transport, sharedMemoryLimit: sharedMemoryLimit)
    self.slices = tree.slices(ofRank: communicator.rank, of: communicator.size)
    self.count = count
    self.transport = choice.transport
    self.transportReason = choice.reason
    self.plan = layout.plans[communicator.rank]
    self.exchange = choice.exchange
  }

  /// Where the vector of one of this rank's slices is to be written: `count` floats, at least
  /// 64-byte aligned.
  ///
  /// Slices must be written and finished one after another, in order: slots are used again.
  /// What is in the slot is undefined, and writing to it ends the life of the previous `result`.
  public func slot(for slice: Int) -> UnsafeMutablePointer<Float> {
    exchange.slots[plan.slots[localIndex(slice)]]
  }

  /// Takes up the slice whose slot has been written, and does the additions that are due, within
  /// `ranges` only.
  ///
  /// `ranges` are ascending and disjoint, in floats. Ranges of the vector may be finished and
  /// completed one after another, each of them for all slices in order.
  public func finish(slice: Int, ranges: [Range<Int>]) {
    requireRanges(ranges)
    for merge in plan.merges[localIndex(slice)] {
      let (sum, other) = (exchange.slots[merge.destination], exchange.slots[merge.source])
      for range in ranges {
        accumulate(sum + range.lowerBound, other + range.lowerBound, range.count)
      }
    }
  }

  /// Completes the sums of all slices on all ranks within `ranges`; elsewhere `result` stays as it
  /// was. Collective.
  ///
  /// `ranges` are those given to `finish`, the same on every rank. The ranks meet here, whatever
  /// the transport. With `patience` a thread that waits for messages leaves its core to others.
  public func complete(
    ranges: [Range<Int>], patience: Patience = .none
  ) throws(MPIError) {
    requireRanges(ranges)
    try exchange.complete(ranges: ranges, patience: patience)
  }

  /// Completes the sums within `ranges` for all ranks, and begins those of each rank's shard of
  /// `shards`. Collective.
  ///
  /// Until `endShards`, each rank calls `sumShard` for the pieces of its own shard (``part(_:)``);
  /// elsewhere in `shards` `result` means nothing. Where ranks share no memory, everything is the
  /// shard of every rank, and is summed here.
  public func beginShards(
    _ shards: [Range<Int>], allReducing ranges: [Range<Int>]
  ) throws(MPIError) {
    requireRanges((shards + ranges).sorted { $0.lowerBound < $1.lowerBound })
    try exchange.beginShards(shards, allReducing: ranges)
  }

  /// Completes the sum of a piece of this rank's shard, for this rank alone.
  public func sumShard(_ piece: Range<Int>) { exchange.sumShard(piece) }

  /// Waits until all ranks have summed their shards. Collective; only then are slots written again.
  public func endShards() throws(MPIError) { try exchange.endShards() }

  /// This rank's shard of `ranges`.
  public func part(_ ranges: [Range<Int>]) -> [Range<Int>] { exchange.part(ranges) }

  /// The sum over all slices, `count` floats, until the next slot is written.
  public var result: UnsafePointer<Float> { exchange.result }

  /// Gives back what the ranks share. Collective; the reduction must not be used afterwards.
  ///
  /// A reduction that is not freed keeps its shared window until the process ends, because freeing
  /// a window is a collective and has no place in a `deinit`. Private memory needs no `free`.
  public func free() throws(MPIError) { try exchange.free() }

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
  for (rank, bytes) in try communicator.allGather(Array(mine.utf8)).enumerated() {
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
