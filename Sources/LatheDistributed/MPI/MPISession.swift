import CMPI
import Glibc
import Synchronization

/// The MPI library of this process, started once and finished once.
///
/// Calls may come from any thread, but never two at a time (`MPI_THREAD_SERIALIZED`); `abort` alone
/// may be called while another thread waits in MPI. Errors come back as `MPIError`: MPI ends no
/// process by itself.
public final class MPISession: Sendable {
  /// All ranks of the job, those of a host one after another: with `--map-by node`, mpirun's own
  /// numbers are others. Rank 0 is the same.
  public let world: Communicator
  /// The first line of what the MPI library says of itself; it need not be running.
  public static let libraryVersion =
    mpiText(cmpi_library_version).map(firstLine) ?? "unknown MPI library"
  /// Whether the MPI library is Open MPI; others are MPICH and its relatives.
  public static let isOpenMPI = libraryVersion.hasPrefix("Open MPI")
  private let finished = Atomic(false)

  /// Where all ranks of a job are.
  public enum Extent: Sendable {
    /// This process is the only one.
    case process
    /// All ranks run on one host and exchange messages through its memory.
    case host
  }

  private static let current = Mutex<MPISession?>(nil)

  /// Starts MPI, or returns the session that is already running.
  ///
  /// A process started without a launcher is a world of one. `launcher` is what the environment
  /// says of the ranks (``launcherPlace(in:)``), to be compared with what MPI says. With a known
  /// `extent` Open MPI and MPICH over UCX open no port to the network; `OMPI_MCA_btl` and `UCX_TLS`
  /// in the environment have precedence.
  ///
  /// - Throws: when MPI fails, or when the launcher started several ranks and MPI sees only one.
  public static func start(
    under launcher: (rank: Int, size: Int)? = nil, within extent: Extent? = nil
  ) throws(MPIError) -> MPISession {
    try current.withLock { session throws(MPIError) in
      if let session { return session }
      let started = try MPISession(launcher, extent)
      session = started
      return started
    }
  }

  /// The session that was started and is not finished yet.
  public static var running: MPISession? {
    current.withLock { session in
      session.flatMap { $0.finished.load(ordering: .sequentiallyConsistent) ? nil : $0 }
    }
  }

  private init(_ launcher: (rank: Int, size: Int)?, _ extent: Extent?) throws(MPIError) {
    MPISession.configure(extent)
    var enough: CInt = 0
    try check("MPI_Init_thread", cmpi_initialize(&enough))
    guard enough != 0 else {
      throw MPIError(
        routine: "MPI_Init_thread",
        text: "expected thread level MPI_THREAD_FUNNELED or above, found less")
    }
    world = try Communicator(cmpi_world()).orderedByHost()
    try refuseSplitWorld(launcher)
  }

  /// Settings of the libraries, unless the environment has others.
  private static func configure(_ extent: Extent?) {
    // A process without a launcher needs no daemon beside it: Open MPI starts one unless told
    // otherwise.
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
    // A network that is there and not used is no news.
    setenv("OMPI_MCA_btl_base_warn_component_unused", "0", 0)
    // Open MPI prints a line for each read that is refused.
    if !cmpi_reads_memory() { setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0) }
    guard let extent else { return }
    let isAlone = extent == .process
    if isOpenMPI {
      setenv("OMPI_MCA_btl", isAlone ? "self" : "self,vader", 0)
    } else {
      setenv("UCX_TLS", isAlone ? "self" : "self,sm", 0)
    }
  }

  /// N lone worlds instead of one world of N would train N models over one another's files.
  private func refuseSplitWorld(_ launcher: (rank: Int, size: Int)?) throws(MPIError) {
    guard let launcher, launcher.size > 1, world.size == 1 else { return }
    throw MPIError(
      routine: "MPISession",
      text: """
        the launcher started \(launcher.size) ranks, this one as rank \(launcher.rank), but MPI \
        sees 1: the launcher and the MPI library (\(MPISession.libraryVersion)) do not \
        belong together. Use \
        the mpirun of that library; under Slurm, srun --mpi=pmix or --mpi=pmi2 as the library was \
        built.
        """)
  }

  /// Ends MPI. Every rank must call it, and none on an error path: it waits for the others.
  ///
  /// - Throws: when MPI fails, or on a second call.
  public func finish() throws(MPIError) {
    guard !finished.exchange(true, ordering: .sequentiallyConsistent) else {
      throw MPIError(routine: "MPISession.finish", text: "MPI has already been finished")
    }
    try check("MPI_Finalize", cmpi_finalize())
  }

  /// Ends all ranks of the job with `MPI_Abort`; `status` (1 to 255) becomes the exit status of the
  /// job. Whoever calls it has said why: the library's own text about the abort is left out.
  ///
  /// Returns where MPI has been finished already, or where the library leaves the end of the
  /// process to its caller.
  public func abortJob(status: Int32) {
    guard !finished.load(ordering: .sequentiallyConsistent) else { return }
    if MPISession.isOpenMPI { cmpi_silence_help() } else { cmpi_silence_errors() }
    _ = cmpi_abort(cmpi_world(), status)
  }
}

/// The text up to its first line break.
private func firstLine(_ text: String) -> String {
  String(text.prefix { !$0.isNewline })
}
