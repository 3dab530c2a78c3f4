import LatheModels

/// As the sharded step, but while the last slice is differentiated, gradients that are ready are
/// summed over all ranks.
final class OverlappedStep: GradientStep {
  private let vector: SliceVector
  private let reduction: TreeReduction
  private var queue: ReductionQueue?

  init(_ vector: SliceVector, _ reduction: TreeReduction) {
    (self.vector, self.reduction) = (vector, reduction)
  }

  func differentiate(_ phase: BoundPhase, _ batches: [Int: Batch]) {
    reduction.differentiate(reduction.slices.dropLast(), of: vector, phase, batches)
    let last = reduction.slices.upperBound - 1
    let slot = reduction.slot(for: last)
    let queue = ReductionQueue(reduction, slice: last, rest: vector.rest)
    vector.differentiate(phase, batches[last]!, into: slot, owner: reduction, ready: queue.add)
    vector.check(last, slot)
    queue.add(vector.rest)
    self.queue = queue
  }

  /// The sums are the barrier.
  func synchronize() {}

  func sum(_ phase: BoundPhase) throws(MPIError) {
    try queue?.drain()
    queue = nil
  }

  func complete(_ phase: BoundPhase) -> [Range<Int>] {
    reduction.shard(of: vector.gradients(of: phase))
  }

  func update(_ phase: BoundPhase, by update: any ParameterUpdate) -> Bool {
    complete(phase).map { update($0, along: reduction.result) }.allSatisfy { $0 }
  }

  func agree(_ areFinite: Bool) throws(MPIError) -> Bool {
    try reduction.memory.agree(areFinite)
  }
}
