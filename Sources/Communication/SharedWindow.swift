import CMPI
import Glibc

/// Completes the tree in memory that all ranks of one host map: each rank adds its own part of all ranks' slots,
/// and writes it to slot 0 of every rank, where each reads its own copy.
///
/// Why two barriers a call are enough, though the next step writes slots while others may still be reading:
/// - A rank touches the slots of others only between the two barriers. Behind the second one they are its owner's.
/// - Parts do not overlap: what a rank writes in others' slots nobody else reads or writes before the second barrier.
///
/// One result for all would save the copies, but every rank would map another vector: memory that a large model needs.
final class SharedWindow: SliceExchange {
  let slots: [UnsafeMutablePointer<Float>]
  /// "4 ranks on host a, 204 MB in /dev/shm".
  let summary: String
  private let communicator: Communicator
  private let window: CMPIWindow
  private let completion: Completion
  /// The sums that remain on all ranks, in the tree's order.
  private let operands: [UnsafePointer<Float>]
  /// Slot 0 of each rank.
  private let results: [UnsafeMutablePointer<Float>]

  var result: UnsafePointer<Float> { UnsafePointer(slots[0]) }

  /// A window, or why there can be none.
  enum Outcome {
    case made(SharedWindow)
    case impossible(String)
  }

  private static let folder = "/dev/shm"

  /// Allocates the window if all ranks are on one host with room for it; the same outcome on every rank.
  static func make(
    _ communicator: Communicator, _ layout: SlotLayout, limit: Int
  ) throws(MPIError) -> Outcome {
    let host = try communicator.hostCommunicator()
    let hostSize = host.size
    try host.free()
    guard try communicator.allAgree(hostSize == communicator.size) else {
      return .impossible("the \(communicator.size) ranks are on several hosts")
    }
    let needed = segmentBytes(layout).reduce(0, +)
    // A tenth is left to others, MPI's own queues among them.
    let mine = min(Double(limit), 0.9 * Double(freeBytes()))
    let room = try Int(communicator.allReduce([mine], .minimum)[0])
    guard needed <= room else {
      return .impossible(
        "room for \(megabytes(room)) in \(folder), \(megabytes(needed)) needed")
    }
    return try allocate(communicator, layout)
  }

  private static func allocate(
    _ communicator: Communicator, _ layout: SlotLayout
  ) throws(MPIError) -> Outcome {
    var window = CMPIWindow()
    let bytes = segmentBytes(layout)[communicator.rank]
    let code = cmpi_allocate_shared(communicator.handle, bytes, &window)
    // Ranks that did get a window leave it be when others did not: freeing it would need the others.
    guard try communicator.allAgree(code == 0) else {
      let text = code == 0 ? "refused on another rank" : "\(MPIError(routine: "", code: code).text)"
      return .impossible("MPI_Win_allocate_shared: \(text)")
    }
    return .made(try SharedWindow(communicator, layout, window))
  }

  private init(
    _ communicator: Communicator, _ layout: SlotLayout, _ window: CMPIWindow
  ) throws(MPIError) {
    let stride = paddedFloats(layout.count)
    var segments: [UnsafeMutablePointer<Float>] = []
    for rank in 0..<communicator.size {
      segments.append(try Self.segment(of: rank, window, floats: stride))
    }
    self.communicator = communicator
    self.window = window
    completion = try Completion(layout.completion)
    operands = layout.operands.enumerated().flatMap { rank, count in
      (0..<count).map { UnsafePointer(segments[rank] + $0 * stride) }
    }
    let slotCount = layout.plans[communicator.rank].slotCount
    let own = segments[communicator.rank]
    slots = (0..<slotCount).map { own + $0 * stride }
    results = segments
    let total = Self.segmentBytes(layout).reduce(0, +)
    summary =
      "\(communicator.size) ranks on host \(communicator.host), \(megabytes(total)) in \(Self.folder)"
    // So that no training step pays for it, and the memory lies near the rank.
    own.update(repeating: 0, count: slotCount * stride)
  }

  func complete(ranges: [Range<Int>], patience: Patience) throws(MPIError) {
    try meet()
    for range in part(ranges) {
      let offset = range.lowerBound
      completion.add(
        operands.map { $0 + offset }, into: results.map { $0 + offset }, count: range.count)
    }
    try meet()
  }

  func free() throws(MPIError) {
    try check("MPI_Win_free", cmpi_free_window(window))
  }

  /// A barrier behind which all ranks see what all have written before it.
  private func meet() throws(MPIError) {
    try check("MPI_Win_sync", cmpi_synchronize(window))
    try communicator.barrier()
    try check("MPI_Win_sync", cmpi_synchronize(window))
  }

  private func part(_ ranges: [Range<Int>]) -> [Range<Int>] {
    Partition.part(communicator.rank, of: communicator.size, ranges: ranges)
  }

  private static func segment(
    of rank: Int, _ window: CMPIWindow, floats: Int
  ) throws(MPIError) -> UnsafeMutablePointer<Float> {
    var base: UnsafeMutableRawPointer?
    try check("MPI_Win_shared_query", cmpi_shared_segment(window, CInt(rank), &base))
    guard let base else {
      throw MPIError(routine: "MPI_Win_shared_query", text: "rank \(rank) has no segment")
    }
    // Processes map the same pages, so all of them round up by the same amount.
    return base.alignedUp(toMultipleOf: 64).bindMemory(to: Float.self, capacity: floats)
  }

  /// The bytes of each rank's segment: its slots and a cache line for alignment.
  private static func segmentBytes(_ layout: SlotLayout) -> [Int] {
    layout.plans.map { $0.slotCount * paddedFloats(layout.count) * MemoryLayout<Float>.stride + 64 }
  }

  /// The bytes that can still be written in /dev/shm.
  private static func freeBytes() -> Int {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return 0 }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}

/// Concretely, 213909504 is "214 MB".
private func megabytes(_ bytes: Int) -> String { "\((bytes + 500_000) / 1_000_000) MB" }
