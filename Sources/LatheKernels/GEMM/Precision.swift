/// What the operands of GEMMs and convolutions are rounded to; sums are float32 always.
public enum Precision: String, CaseIterable, Sendable {
  /// Operands as they are.
  case float32
  /// Operands rounded to bfloat16, ties to even.
  case bfloat16
}
