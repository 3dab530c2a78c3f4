import LatheKernels
import LatheModels

/// One slice after another; then each rank sums and updates its shard of the parameters that the
/// ranks of its host share.
///
/// A piece of the shard is summed right before it is updated, while the sums are in the cache, or
/// while others are on their way.
final class ShardedStep: GradientStep {
  private let vector: SliceVector
  private let reduction: TreeReduction
  private let world: Communicator
  /// Whether this rank's shard has been summed before the update.
  private var isComplete = false

  init(_ vector: SliceVector, _ reduction: TreeReduction, on world: Communicator) {
    (self.vector, self.reduction, self.world) = (vector, reduction, world)
  }

  func differentiate(_ phase: BoundPhase, _ batches: [Int: Batch]) {
    reduction.differentiate(reduction.slices, of: vector, phase, batches)
  }

  func synchronize() throws(MPIError) { if world.size > 1 { try world.barrier() } }

  /// Sums statistics updates and loss terms alone: of the gradients each rank needs its shard,
  /// which `update` sums.
  func sum(_ phase: BoundPhase) throws(MPIError) {
    try reduction.beginShards(vector.gradients(of: phase), allReducing: [vector.rest])
  }

  func complete(_ phase: BoundPhase) throws(MPIError) -> [Range<Int>] {
    for piece in pieces(of: phase) { try reduction.sumShard(piece) }
    isComplete = true
    return reduction.shard(of: vector.gradients(of: phase))
  }

  private func pieces(of phase: BoundPhase) -> [Range<Int>] {
    Partition.pieces(
      of: reduction.shard(of: vector.gradients(of: phase)), size: ShardedStep.pieceFloats)
  }

  func update(_ phase: BoundPhase, by update: any ParameterUpdate) throws(MPIError) -> Bool {
    var areFinite = true
    for piece in pieces(of: phase) {
      if !isComplete { try reduction.sumShard(piece) }
      if !update(piece, along: reduction.result) { areFinite = false }
    }
    isComplete = false
    try reduction.endShards()
    return areFinite
  }

  func agree(_ areFinite: Bool) throws(MPIError) -> Bool { try reduction.memory.agree(areFinite) }

  /// Sums that stay in the cache until the update; with more threads each has a piece of its
  /// kernels' size.
  private static var pieceFloats: Int { Workers.count == 1 ? 1 << 14 : Workers.count << 16 }
}

extension TreeReduction {
  /// Differentiates slices of this rank one after another, each into its slot, and adds them up.
  func differentiate(
    _ slices: Range<Int>, of vector: SliceVector, _ phase: BoundPhase, _ batches: [Int: Batch]
  ) {
    vector.begin()
    let ranges = vector.ranges(of: phase)
    for slice in slices {
      let slot = slot(for: slice)
      vector.differentiate(phase, batches[slice]!, into: slot, owner: self)
      vector.check(slice, slot)
      finish(slice: slice, ranges: ranges)
    }
  }
}
