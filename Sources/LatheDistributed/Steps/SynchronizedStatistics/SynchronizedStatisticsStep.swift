import LatheModels
import LatheTensors

/// Batch statistics are synchronized over all slices, so all slices run at once, as coroutines;
/// sums and updates are those of another way.
final class SynchronizedStatisticsStep: GradientStep {
  private let vector: SliceVector
  private let reduction: TreeReduction
  private let coroutines: SliceCoroutines
  private let base: any GradientStep
  /// Vectors of slices that are under way together, when there are several on this rank.
  private let vectors: [Arena]

  init(
    _ vector: SliceVector, _ reduction: TreeReduction, _ coroutines: SliceCoroutines,
    over base: any GradientStep
  ) {
    (self.vector, self.reduction, self.coroutines, self.base) = (
      vector, reduction, coroutines, base
    )
    let count = reduction.slices.count
    vectors = count == 1 ? [] : (0..<count).map { _ in Arena(count: vector.count) }
  }

  func differentiate(_ phase: BoundPhase, _ batches: [Int: Batch]) throws(MPIError) {
    vector.begin()
    try coroutines.run { [self] slice in
      vector.differentiate(phase, batches[slice]!, into: target(of: slice), owner: reduction)
    }
    let ranges = vector.ranges(of: phase)
    for slice in reduction.slices { take(slice, ranges) }
  }

  private func target(of slice: Int) -> UnsafeMutablePointer<Float> {
    vectors.isEmpty
      ? reduction.slot(for: slice) : vectors[slice - reduction.slices.lowerBound].pointer
  }

  /// Brings what a slice has written into its slot, and adds it up.
  private func take(_ slice: Int, _ ranges: [Range<Int>]) {
    let (source, slot) = (target(of: slice), reduction.slot(for: slice))
    for range in ranges where source != slot {
      (slot + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
    }
    vector.check(slice, slot)
    reduction.finish(slice: slice, ranges: ranges)
  }

  func synchronize() throws(MPIError) { try base.synchronize() }
  func sum(_ phase: BoundPhase) throws(MPIError) { try base.sum(phase) }
  func complete(_ phase: BoundPhase) throws(MPIError) -> [Range<Int>] { try base.complete(phase) }
  func update(_ phase: BoundPhase, by update: any ParameterUpdate) throws(MPIError) -> Bool {
    try base.update(phase, by: update)
  }
  func agree(_ areFinite: Bool) throws(MPIError) -> Bool { try base.agree(areFinite) }
}
