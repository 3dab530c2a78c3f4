import LatheKernels
import LatheModels

/// One slice after another; then each rank sums and updates its shard of parameters that all ranks
/// share.
///
/// A piece of the shard is summed right before it is updated, while the sums are in the cache.
final class ShardedStep: GradientStep {
  private let vector: SliceVector
  private let reduction: TreeReduction
  private let memory: StateMemory
  private let world: Communicator
  /// Whether this rank's shard has been summed before the update.
  private var isComplete = false

  init(
    _ vector: SliceVector, _ reduction: TreeReduction, _ memory: StateMemory,
    on world: Communicator
  ) {
    (self.vector, self.reduction, self.memory, self.world) = (vector, reduction, memory, world)
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

  func complete(_ phase: BoundPhase) -> [Range<Int>] {
    for piece in pieces(of: phase) { reduction.sumShard(piece) }
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
      if !isComplete { reduction.sumShard(piece) }
      if !update(piece, along: reduction.result) { areFinite = false }
    }
    isComplete = false
    try reduction.endShards()
    return areFinite
  }

  func agree(_ areFinite: Bool) throws(MPIError) -> Bool { try memory.agree(areFinite) }

  /// Sums that stay in the cache until the update; with more threads each has a piece of its
  /// kernels' size.
  private static var pieceFloats: Int { Workers.count == 1 ? 1 << 14 : Workers.count << 16 }
}
