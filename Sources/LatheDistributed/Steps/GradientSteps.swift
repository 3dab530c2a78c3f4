import LatheNN

/// The ways of making an update that fit a run, with and without overlap. Their times are booked.
struct GradientSteps {
  /// One thing after another.
  let plain: any GradientStep
  /// Gradients are summed over ranks while others are still being made.
  let overlapped: any GradientStep
  private let coroutines: SliceCoroutines?

  init(
    _ vector: SliceVector, _ reduction: TreeReduction, _ statistics: BatchStatistics,
    _ store: ParameterStore, on world: Communicator, monitor: RankMonitor
  ) {
    var step: any GradientStep = ShardedStep(vector, reduction, on: world)
    switch statistics {
    case .slice: coroutines = nil
    case .global:
      let coroutines = SliceCoroutines(
        reduction.slices, of: reduction.tree.slices, store, on: world, monitor: monitor)
      step = SynchronizedStatisticsStep(vector, reduction, coroutines, over: step)
      self.coroutines = coroutines
    }
    plain = TimedStep(step, monitor)
    overlapped = TimedStep(OverlappedStep(vector, reduction), monitor)
  }

  /// Gives back what ranks share. Collective.
  func free() throws(MPIError) { try coroutines?.free() }
}
