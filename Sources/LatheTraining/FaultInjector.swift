/// Makes a rank fail on purpose, so that tests can see what becomes of it.
public protocol FaultInjector: Sendable {
  /// Fails if this is the step for it.
  func strike(afterSteps step: Int) throws
  /// Makes values of a batch not a number if that is asked for.
  func poison(_ values: UnsafeMutablePointer<Float>, afterSteps step: Int)
  /// Called after the first file of a checkpoint has been written.
  func strikeWhileSaving(step: Int)
}
