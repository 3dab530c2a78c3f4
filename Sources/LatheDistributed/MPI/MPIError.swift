import CMPI

/// A failure of MPI, or a request to it that cannot be met.
public struct MPIError: Error, CustomStringConvertible, Sendable {
  /// The routine that failed: MPI's (`MPI_Bcast`) or this module's (`TreeReduction`).
  public let routine: String
  /// MPI's error code, or nil when the fault was found before MPI was called.
  public let code: Int32?
  /// What went wrong, in MPI's words or ours.
  public let text: String

  /// A fault that this module found itself.
  public init(routine: String, text: String) {
    self.routine = routine
    self.code = nil
    self.text = text
  }

  /// An error code returned by MPI, with MPI's text for it.
  init(routine: String, code: Int32) {
    self.routine = routine
    self.code = code
    self.text = mpiText { cmpi_error_text(code, $0) } ?? "no text"
  }

  /// Concretely, `MPI_Bcast: MPI_ERR_ROOT: invalid root (error 8)`.
  public var description: String {
    guard let code else { return "\(routine): \(text)" }
    return "\(routine): \(text) (error \(code))"
  }
}

/// An error that every rank throws alike, so that one of them can speak for all.
public protocol CommonError: Error {}

/// An error met by one rank in a step that it did for all; thrown on every rank.
public struct RootError: CommonError, CustomStringConvertible, Sendable {
  /// The rank that met the error.
  public let root: Int
  /// The description of the error, the same on every rank.
  public let description: String
  /// The error itself, on the root; nil elsewhere.
  public let underlying: (any Error)?
}

/// Throws the error for any code but success.
func check(_ routine: String, _ code: CInt) throws(MPIError) {
  if code != 0 { throw MPIError(routine: routine, code: code) }
}

/// A count as MPI takes it.
///
/// - Throws: when it does not fit in a C int.
func mpiCount(_ count: Int, _ routine: String) throws(MPIError) -> CInt {
  guard let converted = CInt(exactly: count) else {
    throw MPIError(routine: routine, text: "count \(count) is beyond \(CInt.max), the limit of MPI")
  }
  return converted
}

/// The text that an MPI routine writes into a buffer, or nil if the routine fails.
func mpiText(_ write: (UnsafeMutablePointer<CChar>) -> CInt) -> String? {
  let capacity = Int(cmpi_text_capacity())
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
    buffer.initialize(repeating: 0)
    guard let start = buffer.baseAddress, write(start) == 0 else { return nil }
    return String(cString: start)
  }
}
