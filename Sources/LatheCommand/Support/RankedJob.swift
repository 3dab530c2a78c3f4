import ArgumentParser
import Foundation
import LatheDistributed
import LatheFiles
import Synchronization

/// The ranks of a command: where MPI is started, and how the process ends, well or with an error.
enum RankedJob {
  /// Starts MPI, or returns the session that is already running. Collective.
  static func start() throws -> MPISession {
    try failing { try MPISession.start(under: Launcher.place, within: Launcher.extent) }
  }

  /// The ranks of a launcher; nil, without MPI, for a process that runs alone. Collective.
  static func startUnderLauncher() throws -> Communicator? {
    Launcher.place == nil ? nil : try start().world
  }

  /// Ends MPI if it was started: the command has done its work on this rank. Collective.
  static func finish() throws { try failing { try MPISession.running?.finish() } }

  private static let hasLeft = Atomic(false)

  /// Whether this is rank 0, whose work the rest of the command is; the other ranks must return.
  static func isLeftToRoot() -> Bool {
    if MPISession.running == nil { hasLeft.store(true, ordering: .relaxed) }
    return Launcher.isRoot
  }

  /// Ends all ranks with a status that is no rank's fault, as 75 of a run that was stopped; mpirun
  /// has nothing to say of it, Open MPI's because rank 0 aborts. Collective.
  static func leave(status: Int32) throws -> Never {
    flushOutput()
    if Launcher.isOpenMPI, let session = MPISession.running {
      try failing { try session.world.barrier() }
      if session.world.rank == 0 { session.abortJob(status: status) }
      // mpirun ends the others.
      signal(SIGTERM, SIG_DFL)
      Thread.sleep(forTimeInterval: 10)
    }
    try finish()
    exit(status)
  }

  /// Says once what is wrong, and ends the job.
  ///
  /// What all ranks throw alike is rank 0's to say, which ends the others while they wait. Another
  /// rank speaks if it is still there afterwards: then the error is its own.
  static func end(with error: any Error) -> Never {
    let (message, status) = report(of: error)
    guard let session = MPISession.running else { endBeforeMPI(message, status) }
    let (rank, size) = (session.world.rank, session.world.size)
    if rank > 0 { Thread.sleep(forTimeInterval: error is any CommonError ? 30 : 1) }
    if size == 1 || (rank == 0 && error is any CommonError && !(error is RootError)) {
      session.end("lathe: \(message)", status: status)
    }
    session.end(saying: message, status: status)
  }

  /// Under a launcher every rank finds the same fault before MPI starts, and rank 0 ends the job
  /// when MPI has started, on a busy machine after seconds. Who lives on has a fault of its own.
  /// Where the others have left, MPI would wait for them.
  private static func endBeforeMPI(_ message: String, _ status: Int32) -> Never {
    let isAlone = hasLeft.load(ordering: .relaxed)
    let starting = Launcher.isMPIRun && !isAlone ? StartingSession() : nil
    var prefix = "lathe: "
    if let launcher = Launcher.place, launcher.rank > 0 {
      starting?.wait(atMost: 20)
      Thread.sleep(forTimeInterval: 2)
      prefix += "rank \(launcher.rank) on \(ProcessInfo.processInfo.hostName): "
    }
    send("\(prefix)\(message)\n", to: STDERR_FILENO)
    flushOutput()
    if let starting, starting.wait(atMost: 20) { MPISession.running?.abortJob(status: status) }
    _exit(status)
  }

  private static func report(of error: any Error) -> (message: String, status: Int32) {
    let cause = (error as? RootError)?.underlying ?? error
    let parsed = Lathe.exitCode(for: cause)
    if parsed == .failure {
      let text = error is RootError ? "\(error)" : message(of: cause)
      return (text.printableLines, exitStatus(for: cause))
    }
    let text = Lathe.fullMessage(for: cause)
    let message = text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text
    return (message.printableLines, parsed.rawValue)
  }
}

/// MPI on its way, started for nothing but an abort: Open MPI's mpirun explains any other end in
/// fifteen lines, and MPICH's lets the other ranks wait for this one.
private final class StartingSession: Sendable {
  private let started = DispatchSemaphore(value: 0)

  init() {
    Thread.detachNewThread { [started] in
      _ = try? RankedJob.start()
      started.signal()
    }
  }

  /// Whether MPI has started, or cannot be; false if the other ranks do not come within so many
  /// seconds.
  @discardableResult
  func wait(atMost seconds: Double) -> Bool {
    guard started.wait(timeout: .now() + seconds) == .success else { return false }
    started.signal()
    return true
  }
}

extension MPISession {
  /// Writes `rank r on host: message` to standard error and ends all ranks of the job.
  func end(saying message: String, status: Int32) -> Never {
    end("rank \(world.rank) on \(world.host): \(message)", status: status)
  }

  /// Writes the line to standard error, past buffers that MPI's abort would lose, and ends all
  /// ranks of the job.
  fileprivate func end(_ line: String, status: Int32) -> Never {
    CrashReport.disarm()
    flushOutput()
    send("\(line)\n", to: STDERR_FILENO)
    if Launcher.place != nil { abortJob(status: status) }
    _exit(status)
  }
}
