import Foundation
import LatheDistributed

/// What the program that started this process says of the ranks, known before MPI starts.
enum Launcher {
  /// Rank and size; nil without a launcher.
  static var place: (rank: Int, size: Int)? {
    launcherPlace(in: variable)
  }

  /// Whether this is Open MPI's mpirun.
  static var isOpenMPI: Bool { variable("OMPI_COMM_WORLD_SIZE") != nil }

  /// Whether this is an mpirun, of Open MPI or of MPICH and its relatives.
  static var isMPIRun: Bool { isOpenMPI || variable("MPI_LOCALNRANKS") != nil }

  /// Where the ranks are; nil if that is not known.
  static var extent: MPISession.Extent? {
    guard let place else { return variable("PMIX_NAMESPACE") == nil ? .process : nil }
    let onHost = variable("OMPI_COMM_WORLD_LOCAL_SIZE") ?? variable("MPI_LOCALNRANKS")
    return onHost == "\(place.size)" ? .host : nil
  }

  private static func variable(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name]
  }

  /// Whether this process is rank 0 or runs alone.
  static var isRoot: Bool { place?.rank ?? 0 == 0 }
}
