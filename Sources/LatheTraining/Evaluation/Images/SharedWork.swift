import LatheDistributed
import LatheTensors

/// Told of work on numbered samples: what is done with them, how many this rank has done, of how
/// many. The total is 0 where nobody knows it; then the second number counts rounds.
public typealias Progress = (_ task: String, _ done: Int, _ total: Int) -> Void

/// Work on numbered samples, shared by the ranks in chunks of one size.
///
/// Who computes a chunk depends on the number of ranks, what is computed does not: the results have
/// the same bits.
package struct SharedWork {
  /// Samples computed together.
  static let chunk = 50

  let world: Communicator
  /// Called before each chunk.
  let progress: Progress

  package init(world: Communicator, progress: @escaping Progress) {
    (self.world, self.progress) = (world, progress)
  }

  /// Values of samples 0 ..< `count` in their order on rank 0, nil elsewhere. Collective.
  ///
  /// `body` returns the same number of values for each sample of a chunk, one sample after another.
  package func gather<Value: BitwiseCopyable>(
    _ task: String, _ count: Int, _ body: (Range<Int>) throws -> [Value]
  ) throws -> [Value]? {
    let chunks = (count + Self.chunk - 1) / Self.chunk
    let own = share(of: 0..<chunks)
    return try gather(own, count) { chunk in
      progress(task, (chunk - own.lowerBound) * Self.chunk, own.count * Self.chunk)
      return try body(Self.samples(of: chunk, count))
    }
  }

  /// As `gather`, but rank 0's `take` is handed the values part by part, so that they need not fit
  /// into memory together. Its errors are thrown on all ranks. Collective.
  package func stream<Value: BitwiseCopyable>(
    _ task: String, _ count: Int, _ body: (Range<Int>) throws -> [Value],
    take: ([Value]) throws -> Void
  ) throws {
    let chunks = (count + Self.chunk - 1) / Self.chunk
    let part = 4 * world.size
    for start in stride(from: 0, to: chunks, by: part) {
      progress(task, start, chunks)
      let own = share(of: start..<min(start + part, chunks))
      let values = try gather(own, count) { try body(Self.samples(of: $0, count)) }
      try world.broadcast0 { if let values { try take(values) } }
    }
  }

  /// This rank's part of a range.
  func share(of chunks: Range<Int>) -> Range<Int> {
    let (rank, size, first) = (world.rank, world.size, chunks.lowerBound)
    return first + rank * chunks.count / size..<first + (rank + 1) * chunks.count / size
  }

  private static func samples(of chunk: Int, _ count: Int) -> Range<Int> {
    chunk * Self.chunk..<min((chunk + 1) * Self.chunk, count)
  }

  private func gather<Value: BitwiseCopyable>(
    _ own: Range<Int>, _ count: Int, _ body: (Int) throws -> [Value]
  ) throws -> [Value]? {
    var values: [Value] = []
    for chunk in own { values += try withoutGradients { try body(chunk) } }
    return try joined(values)
  }

  /// All ranks' values in the order of the ranks on rank 0, nil elsewhere. Collective.
  func joined<Value: BitwiseCopyable>(_ values: [Value]) throws -> [Value]? {
    try world.gather(values: values, at: 0).map { parts in parts.flatMap { $0 } }
  }
}
