/// How layers with running statistics behave in a pass.
public enum Mode: Sendable {
  /// Statistics of the batch; the running ones follow.
  case training
  /// Statistics of the batch; the running ones stay. For passes that judge or fool a network rather
  /// than fit it.
  case trainingWithoutTracking
  /// The running statistics.
  case inference
}
