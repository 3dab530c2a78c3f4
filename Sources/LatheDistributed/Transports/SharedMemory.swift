/// Zeroed floats that all ranks of one host map: state that they keep together.
public final class SharedMemory {
  /// The first float, on a cache line.
  public let pointer: UnsafeMutablePointer<Float>
  /// The number of floats.
  public let count: Int
  private let segments: SharedSegments

  /// Nil where the ranks are on several hosts, or /dev/shm has no room; the same on every rank.
  /// Collective.
  public static func make(
    _ communicator: Communicator, count: Int
  ) throws(MPIError) -> SharedMemory? {
    let floats = [count] + [Int](repeating: 0, count: communicator.size - 1)
    guard case .made(let segments) = try SharedSegments.make(communicator, floats: floats) else {
      return nil
    }
    return try SharedMemory(segments, count: count, communicator)
  }

  private init(
    _ segments: SharedSegments, count: Int, _ communicator: Communicator
  ) throws(MPIError) {
    self.segments = segments
    self.count = count
    pointer = segments.starts[0]
    // A page lies near the rank that touches it first.
    let (rank, size) = (communicator.rank, communicator.size)
    for share in Partition.shard(rank, of: size, ranges: [0..<count]) {
      (pointer + share.lowerBound).update(repeating: 0, count: share.count)
    }
    try segments.barrier()
  }

  /// Waits for all ranks and returns whether the condition holds on each; behind it every rank sees
  /// what all have written before it. Collective.
  public func agree(_ condition: Bool) throws(MPIError) -> Bool { try segments.agree(condition) }

  /// Collective; the memory must not be used afterwards.
  public func free() throws(MPIError) { try segments.free() }
}
