import LatheModels

/// One slice after another; then the sums of all ranks, on every rank; then the update.
///
/// Each rank has its own parameters and updates all of them.
final class PlainStep: GradientStep {
  private let vector: SliceVector
  private let reduction: TreeReduction
  private let world: Communicator

  init(_ vector: SliceVector, _ reduction: TreeReduction, on world: Communicator) {
    (self.vector, self.reduction, self.world) = (vector, reduction, world)
  }

  func differentiate(_ phase: BoundPhase, _ batches: [Int: Batch]) {
    reduction.differentiate(reduction.slices, of: vector, phase, batches)
  }

  func synchronize() throws(MPIError) { if world.size > 1 { try world.barrier() } }

  func sum(_ phase: BoundPhase) throws(MPIError) {
    try reduction.allReduce(ranges: vector.ranges(of: phase))
  }

  func complete(_ phase: BoundPhase) -> [Range<Int>] { vector.gradients(of: phase) }

  func update(_ phase: BoundPhase, by update: any ParameterUpdate) -> Bool {
    reduction.update(vector.gradients(of: phase), by: update)
  }

  func agree(_ areFinite: Bool) -> Bool { areFinite }
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

  /// Updates ranges whose gradients have been summed; returns whether all of them were finite.
  func update(_ ranges: [Range<Int>], by update: any ParameterUpdate) -> Bool {
    ranges.map { update($0, along: result) }.allSatisfy { $0 }
  }
}
