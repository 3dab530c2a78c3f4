internal import CKernels
internal import COpenBLAS

/// What the numbers depend on beside the program: bits are equal on equal processors only.
public enum Processor {
  /// The processor type that OpenBLAS chose its kernels for, such as "SkylakeX" or "neoversen1".
  public static var blasCore: String { OpenBLAS.core }

  /// The name and version of the matrix library, such as "OpenBLAS 0.3.21".
  public static var blasVersion: String { OpenBLAS.version }

  /// The level that the loops were chosen for, such as "x86-64-v4"; "arm64" has no levels.
  public static var instructionSet: String { String(cString: ck_instruction_set()) }

  /// Whether products of bfloat16 numbers are instructions: AVX-512's, or arm64's FEAT_BF16.
  public static var hasBFloat16: Bool { ck_has_bfloat16() != 0 }
}

extension Processor {
  /// Whether GEMMs take this package's own tiles, the default on arm64 and where the processor has
  /// AVX2 or AVX-512; otherwise they take OpenBLAS. Without instructions for bfloat16 products both
  /// take operands rounded beforehand.
  public static var usesTiles: Bool { Tiles.takeFloats }
}

extension Processor {
  /// Peak float32 GFLOP/s of one core: fused multiplications and
  /// additions in registers, counted as two. The best of many short runs in about `seconds`.
  public static func measuredPeak(seconds: Double) -> Double {
    ck_measure_peak(seconds) * 1e-9
  }
}
