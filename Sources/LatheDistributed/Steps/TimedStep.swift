import LatheKernels
import LatheModels

/// Books the time of another step's calls: in the rank's monitor and, when that is on, in the
/// profile.
final class TimedStep: GradientStep {
  private let base: any GradientStep
  private let monitor: RankMonitor

  init(_ base: any GradientStep, _ monitor: RankMonitor) {
    (self.base, self.monitor) = (base, monitor)
  }

  func differentiate(_ phase: BoundPhase, _ batches: [Int: Batch]) throws(MPIError) {
    try monitor.measure(.compute) { () throws(MPIError) in try base.differentiate(phase, batches) }
  }

  /// Apart from the sums, so that waiting is not taken for work.
  func synchronize() throws(MPIError) {
    try Profile.measure(.exchange) { () throws(MPIError) in try monitor.collective(base.synchronize)
    }
  }

  func sum(_ phase: BoundPhase) throws(MPIError) {
    try Profile.measure(.exchange) { () throws(MPIError) in
      try monitor.collective(as: .reduction) { () throws(MPIError) in try base.sum(phase) }
    }
  }

  func complete(_ phase: BoundPhase) throws(MPIError) -> [Range<Int>] {
    try Profile.measure(.exchange) { () throws(MPIError) in
      try monitor.measure(.reduction) { () throws(MPIError) in try base.complete(phase) }
    }
  }

  /// The update's own time is the optimizer's; the rest is that of sums.
  func update(_ phase: BoundPhase, by update: any ParameterUpdate) throws(MPIError) -> Bool {
    let timed = TimedUpdate(update)
    return try Profile.measure(.exchange) { () throws(MPIError) in
      try monitor.measure(.reduction) { () throws(MPIError) in
        defer { book(timed.duration) }
        return try base.update(phase, by: timed)
      }
    }
  }

  private func book(_ updating: Duration) {
    monitor.rebook(last: updating, as: .optimizer)
    Profile.rebook(updating, from: .exchange, as: .update)
  }

  func agree(_ areFinite: Bool) throws(MPIError) -> Bool {
    try monitor.collective { () throws(MPIError) in try base.agree(areFinite) }
  }
}

/// Adds up the time of another update.
private final class TimedUpdate: ParameterUpdate {
  private(set) var duration = Duration.zero
  private let base: any ParameterUpdate

  init(_ base: any ParameterUpdate) { self.base = base }

  func callAsFunction(_ range: Range<Int>, along gradients: UnsafePointer<Float>) -> Bool {
    let start = ContinuousClock.now
    defer { duration += ContinuousClock.now - start }
    return base(range, along: gradients)
  }
}
