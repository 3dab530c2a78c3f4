import ArgumentParser
import Foundation
import LatheDistributed

/// The ranks of a command: where MPI is started, and how the process ends, well or with an error.
enum RankedJob {
  /// Starts MPI, or returns the session that is already running. Collective.
  static func start() throws -> MPISession {
    try failing { try MPISession.start(under: Launcher.place) }
  }

  /// The ranks of a launcher; nil, without MPI, for a process that runs alone. Collective.
  static func startUnderLauncher() throws -> Communicator? {
    Launcher.place == nil ? nil : try start().world
  }

  /// Ends MPI if it was started: the command has done its work on this rank. Collective.
  static func finish() throws { try failing { try MPISession.running?.finish() } }

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

  /// Under a launcher every rank finds the same fault before MPI starts, and rank 0's exit ends the
  /// job.
  private static func endBeforeMPI(_ message: String, _ status: Int32) -> Never {
    var prefix = "lathe: "
    if let launcher = Launcher.place, launcher.rank > 0 {
      Thread.sleep(forTimeInterval: 2)
      prefix += "rank \(launcher.rank) on \(ProcessInfo.processInfo.hostName): "
    }
    FileHandle.standardError.write(Data("\(prefix)\(message)\n".utf8))
    exit(status)
  }

  private static func report(of error: any Error) -> (message: String, status: Int32) {
    let cause = (error as? RootError)?.underlying ?? error
    let parsed = Lathe.exitCode(for: cause)
    if parsed == .failure {
      let text = error is RootError ? "\(error)" : message(of: cause)
      return (text.printableLines, exitStatus(for: cause))
    }
    let text = Lathe.fullMessage(for: cause)
    return (text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text, parsed.rawValue)
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
    FileHandle.standardError.write(Data("\(line)\n".utf8))
    if Launcher.place != nil { abortJob(status: status) }
    _exit(status)
  }
}
