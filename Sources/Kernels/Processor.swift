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
  /// Whether products may take this package's own AVX-512 tiles where the processor has them; otherwise
  /// they take OpenBLAS. True unless set; set it only while no kernel runs.
  public static var usesTiles: Bool {
    get { Tiles.wanted.load(ordering: .relaxed) }
    set { Tiles.wanted.store(newValue, ordering: .relaxed) }
  }
}
