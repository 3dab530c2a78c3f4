/// What the factors of products are rounded to; sums are float32 always.
public enum Precision: String, CaseIterable, Sendable {
  /// Factors as they are.
  case float32
  /// Factors rounded to bfloat16, ties to even.
  case bfloat16
}
