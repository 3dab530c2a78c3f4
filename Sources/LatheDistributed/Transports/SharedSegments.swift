import CMPI
import Glibc

/// Memory in /dev/shm that all ranks of one host map: a segment for each rank.
final class SharedSegments {
  /// The first float of each rank's segment, on a cache line.
  let starts: [UnsafeMutablePointer<Float>]
  /// "4 ranks on host a, 204 MB in /dev/shm".
  let summary: String
  private let host: Communicator
  private let window: CMPIWindow

  /// Segments, or why there can be none.
  enum Outcome {
    case made(SharedSegments)
    case impossible(String)
  }

  private static let folder = "/dev/shm"

  /// A segment of so many floats for each rank of one host, if there is room for them; the same
  /// outcome on each.
  ///
  /// `limit` is what they may share, in bytes. Collective.
  static func make(
    _ host: Communicator, floats: [Int], limit: Int = .max
  ) throws(MPIError) -> Outcome {
    let needed = floats.map(bytes).reduce(0, +)
    // A tenth is left to others, MPI's own queues among them.
    let mine = min(Double(limit), 0.9 * Double(freeBytes()))
    let room = try Int(host.allReduce([mine], .minimum)[0])
    guard needed <= room else {
      return .impossible(
        "room for \(megabytes(room)) in \(folder), \(megabytes(needed)) needed")
    }
    return try allocate(host, floats)
  }

  private static func allocate(
    _ host: Communicator, _ floats: [Int]
  ) throws(MPIError) -> Outcome {
    var window = CMPIWindow()
    let code = cmpi_allocate_shared(host.handle, bytes(floats[host.rank]), &window)
    // Ranks that did get a window leave it be when others did not: freeing it would need the
    // others.
    guard try host.allAgree(code == 0) else {
      let text = code == 0 ? "refused on another rank" : "\(MPIError(routine: "", code: code).text)"
      return .impossible("MPI_Win_allocate_shared: \(text)")
    }
    return .made(try SharedSegments(host, floats, window))
  }

  private init(
    _ host: Communicator, _ floats: [Int], _ window: CMPIWindow
  ) throws(MPIError) {
    var starts: [UnsafeMutablePointer<Float>] = []
    for rank in 0..<host.size {
      starts.append(try Self.segment(of: rank, window, floats: floats[rank]))
    }
    self.host = host
    self.window = window
    self.starts = starts
    let total = floats.map(Self.bytes).reduce(0, +)
    summary = "\(host.size) ranks on host \(host.host), \(megabytes(total)) in \(Self.folder)"
  }

  /// A barrier behind which all ranks see what all have written before it.
  func barrier() throws(MPIError) {
    try synchronize()
    try host.barrier()
    try synchronize()
  }

  /// The same; returns whether the condition holds on every rank.
  func agree(_ condition: Bool) throws(MPIError) -> Bool {
    try synchronize()
    let all = try host.allAgree(condition)
    try synchronize()
    return all
  }

  /// Collective; the memory must not be used afterwards.
  func free() throws(MPIError) {
    try check("MPI_Win_free", cmpi_free_window(window))
  }

  private func synchronize() throws(MPIError) {
    try check("MPI_Win_sync", cmpi_synchronize(window))
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

  /// The bytes of a segment: its floats and a cache line for alignment.
  private static func bytes(_ floats: Int) -> Int { floats * MemoryLayout<Float>.stride + 64 }

  /// The bytes that can still be written in /dev/shm.
  private static func freeBytes() -> Int {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return 0 }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}

/// Concretely, 213909504 is "214 MB".
private func megabytes(_ bytes: Int) -> String { "\((bytes + 500_000) / 1_000_000) MB" }
