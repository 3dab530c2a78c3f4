import LatheDistributed
import LatheTensors

/// Told of work on numbered samples: what is done with them, how many this rank has done, of how
/// many. The total is 0 where nobody knows it; then the second number counts rounds.
public typealias Progress = (_ task: String, _ done: Int, _ total: Int) -> Void

/// Work on numbered samples, shared by the ranks in chunks of one size.
///
/// Who computes a chunk depends on the number of ranks, what is computed does not: the results have
/// the same bits.
struct SharedWork {
  /// Samples computed together.
  static let chunk = 50

  let world: Communicator
  /// Called before each chunk.
  let progress: Progress

  /// Values of samples 0 ..< `count` in their order on rank 0, nil elsewhere. Collective.
  ///
  /// `body` returns the same number of values for each sample of a chunk, one sample after another.
  func gather<Value: BitwiseCopyable>(
    _ task: String, _ count: Int, _ body: (Range<Int>) throws -> [Value]
  ) throws -> [Value]? {
    let chunks = (count + Self.chunk - 1) / Self.chunk
    let own = world.rank * chunks / world.size..<(world.rank + 1) * chunks / world.size
    var values: [Value] = []
    for chunk in own {
      progress(task, (chunk - own.lowerBound) * Self.chunk, own.count * Self.chunk)
      let start = chunk * Self.chunk
      values += try withoutGradients { try body(start..<min(start + Self.chunk, count)) }
    }
    let bytes = values.withUnsafeBytes { Array($0) }
    return try world.gather(bytes, at: 0).map { parts in parts.flatMap(Self.values) }
  }

  private static func values<Value: BitwiseCopyable>(_ bytes: [UInt8]) -> [Value] {
    [Value](unsafeUninitializedCapacity: bytes.count / MemoryLayout<Value>.stride) {
      buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      count = buffer.count
    }
  }
}
