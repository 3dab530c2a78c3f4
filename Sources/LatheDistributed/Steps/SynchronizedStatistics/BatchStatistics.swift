/// What "the batch" is to batch norm and to terms that couple images.
public enum BatchStatistics: String, Codable, CaseIterable, Sendable {
  /// Each slice is a batch of its own.
  case slice
  /// All slices together are the batch.
  case global
}
