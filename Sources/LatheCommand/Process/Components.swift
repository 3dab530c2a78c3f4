import LatheDistributed
import LatheKernels
import LatheTraining

/// What this program computes with, for `--version` and `doctor`.
enum Components {
  static var mpi: String { MPISession.libraryVersion }

  static var blas: String { "\(Processor.blasVersion), core \(Processor.blasCore)" }

  static var kernels: String {
    Processor.instructionSet + (Processor.hasBFloat16 ? ", with bf16 products" : "")
  }

  /// The version alone in the first line, then a line for each part.
  static var text: String {
    let parts = [("kernels", kernels), ("BLAS", blas), ("MPI", mpi)]
    return ([version] + parts.map { listed("  " + $0, $1) }).joined(separator: "\n")
  }
}
