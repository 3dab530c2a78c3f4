import LatheModels

/// A way in which the ranks make one phase's update together.
///
/// The step runner calls, for each phase and on every rank: `differentiate`, `synchronize`, `sum`,
/// `update`, `agree`. What is summed is a `SliceVector`. All ways add in the order of the slice
/// tree, so they have the same bits.
protocol GradientStep: AnyObject {
  /// Writes the gradients of each of this rank's slices and adds them up over these slices.
  /// Collective.
  func differentiate(_ phase: BoundPhase, _ batches: [Int: Batch]) throws(MPIError)
  /// Waits until all ranks have come here. Collective.
  func synchronize() throws(MPIError)
  /// Sums over all ranks what each of them needs. Collective.
  func sum(_ phase: BoundPhase) throws(MPIError)
  /// Sums what ``update`` has left to itself, and returns where the gradients are that this rank
  /// updates along. For those who look at all of them before the update. Collective.
  func complete(_ phase: BoundPhase) throws(MPIError) -> [Range<Int>]
  /// Updates the parameters that are this rank's to update; returns whether their gradients were
  /// finite. Collective.
  func update(_ phase: BoundPhase, by update: any ParameterUpdate) throws(MPIError) -> Bool
  /// Whether the gradients were finite on all ranks; behind it, each rank sees all parameters.
  /// Collective.
  func agree(_ areFinite: Bool) throws(MPIError) -> Bool
}

/// One optimizer update, made range by range.
protocol ParameterUpdate: AnyObject {
  /// Updates a range of the parameters along gradients with the store's offsets; returns whether
  /// these were finite.
  func callAsFunction(_ range: Range<Int>, along gradients: UnsafePointer<Float>) -> Bool
}
