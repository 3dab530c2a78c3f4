import Dispatch
import LatheKernels

/// Sums buckets of the gradients over all ranks on a thread of its own, one after another, while
/// the backward pass makes the rest.
///
/// Only that thread calls MPI from the first `add` until `drain` returns. All ranks add the same
/// buckets in the same order.
final class ReductionQueue: @unchecked Sendable {
  /// Floats that are reduced at once, unless a single parameter has more.
  static let bucketFloats = 1 << 20

  private let reduction: TreeReduction
  private let slice: Int
  /// What all ranks need: it is added last.
  private let rest: Range<Int>
  private let queue = DispatchQueue(label: "reduction")
  private let backOff = BackOff()
  private var bucket: [Range<Int>] = []
  private var failure: MPIError?

  /// For the last of this rank's slices, whose gradients are being made; the others are finished.
  init(_ reduction: TreeReduction, slice: Int, rest: Range<Int>) {
    (self.reduction, self.slice, self.rest) = (reduction, slice, rest)
  }

  /// Takes a range of the slice's slot that will not change any more.
  func add(_ range: Range<Int>) {
    bucket.append(range)
    if bucket.reduce(0, { $0 + $1.count }) >= ReductionQueue.bucketFloats { send() }
  }

  private func send() {
    guard !bucket.isEmpty else { return }
    let ranges = bucket.sorted { $0.lowerBound < $1.lowerBound }
    bucket = []
    queue.async { [self] in
      guard failure == nil else { return }
      reduction.finish(slice: slice, ranges: ranges)
      do throws(MPIError) { try sum(ranges) } catch { failure = error }
    }
  }

  private func sum(_ ranges: [Range<Int>]) throws(MPIError) {
    let gradients = ranges.filter { $0 != rest }
    try reduction.beginShards(
      gradients, allReducing: ranges.filter { $0 == rest }, backOff: backOff)
    for piece in reduction.shard(of: gradients) { try reduction.sumShard(piece) }
    try reduction.endShards()
  }

  /// Waits until everything has been reduced.
  func drain() throws(MPIError) {
    send()
    backOff.end()
    queue.sync {}
    if let failure { throw failure }
  }
}
