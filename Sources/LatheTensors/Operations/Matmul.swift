import LatheKernels

/// How matrix products and convolutions are computed.
public enum Matmul {
  /// What they round their operands to; their gradients do the same.
  @TaskLocal static var precision = Precision.float32
}

/// Runs `body` with operands of products and convolutions rounded to `precision`; sums stay
/// float32.
public func withPrecision<Result>(_ precision: Precision, _ body: () throws -> Result) rethrows
  -> Result
{
  try Matmul.$precision.withValue(precision, operation: body)
}
