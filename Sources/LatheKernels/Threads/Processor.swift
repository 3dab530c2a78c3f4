internal import CKernels
internal import COpenBLAS

/// What the numbers depend on beside the program: bits are equal on equal processors only.
public enum Processor {
  /// The processor type that OpenBLAS chose its kernels for, such as "SkylakeX".
  public static var blasCore: String { OpenBLAS.core }

  /// The name and version of the matrix library, such as "OpenBLAS 0.3.21".
  public static var blasVersion: String { OpenBLAS.version }

  /// The level that the loops were chosen for, such as "x86-64-v4".
  public static var instructionSet: String { String(cString: ck_instruction_set()) }

  /// Whether products of bfloat16 numbers are instructions.
  public static var hasBFloat16: Bool { ck_has_bfloat16() != 0 }
}

extension Processor {
  /// Whether products take this package's own tiles, the default where the processor has AVX2 or
  /// AVX-512; otherwise they take OpenBLAS. Without AVX-512's bfloat16 products both take factors
  /// rounded beforehand.
  public static var usesTiles: Bool { Tiles.available(.floats) }

  /// Runs `body` with products by OpenBLAS, on this thread and the workers that it calls.
  public static func withoutTiles(_ body: () -> Void) {
    Tiles.$areWanted.withValue(false, operation: body)
  }
}

extension Processor {
  /// The most float32 operations a second that one core reaches, in 10⁹: fused multiplications and
  /// additions in registers, counted as two. The best of many short runs in about `seconds`.
  public static func measuredPeak(seconds: Double) -> Double {
    ck_measure_peak(0, seconds) * 1e-9
  }

  /// The same for products of bfloat16 numbers; nil where the processor has no instruction for
  /// them.
  public static func measuredBFloat16Peak(seconds: Double) -> Double? {
    ck_has_tiles(1) != 0 ? ck_measure_peak(1, seconds) * 1e-9 : nil
  }
}
