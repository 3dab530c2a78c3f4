import Foundation
import LatheFiles
import Synchronization
import SystemPackage

/// A command that runs as a process of its own, its output appended to a log if there is one.
final class ChildProcess: Sendable {
  private struct State {
    var last = ""
    var rest: [UInt8] = []
  }

  private let process: Process
  private let state = Mutex(State())
  private let hasEnded = DispatchSemaphore(value: 0)

  /// Starts a program of PATH, or one with a path.
  ///
  /// - Throws: `CommandFailure` (66 if there is no such program, 73 if the log cannot be written).
  init(
    _ command: [String], environment: [String: String] = ProcessInfo.processInfo.environment,
    log: FilePath? = nil
  ) throws {
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    if let log { try failing { _ = try OpenFile(appending: log) } }
    let pipe = Pipe()
    (process.standardOutput, process.standardError) = (pipe, pipe)
    do { try process.run() } catch {
      throw CommandFailure.missing("cannot start \(command[0]): \(message(of: error))")
    }
    read(pipe.fileHandleForReading, log)
  }

  /// Takes what it writes up to the end, on a thread of its own: a dispatch source sometimes misses
  /// the end of a process that is soon over.
  private func read(_ output: FileHandle, _ log: FilePath?) {
    Thread.detachNewThread { [weak self, hasEnded] in
      while case let bytes = [UInt8](output.availableData), !bytes.isEmpty {
        if let log { try? OpenFile(appending: log).append(bytes) }
        self?.take(bytes)
      }
      hasEnded.signal()
    }
  }

  /// For mpirun: Open MPI refuses to start ranks of root's unless it is told twice, and listens on
  /// every interface unless a library beside the program narrows that, as in `launch/local`.
  static var environmentOfRanks: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    if let library = listenLibrary, environment["LATHE_LISTEN"] == nil {
      environment["LATHE_LISTEN"] = "127.0.0.0/8"
      environment["LD_PRELOAD"] = [library, environment["LD_PRELOAD"]].compactMap { $0 }
        .joined(separator: ":")
    }
    if geteuid() == 0 {
      environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
      environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    }
    return environment
  }

  /// `liblathe-listen.so` beside the program or where `launch/install` puts it; nil where its path
  /// has characters that end a name in LD_PRELOAD.
  private static var listenLibrary: String? {
    let folder = ExperimentFolder.program.removingLastComponent()
    let places = [folder, folder.appending("../lib").lexicallyNormalized()]
    return places.map { $0.appending("liblathe-listen.so") }.first { FileSystem.isFile($0) }
      .map(\.string).flatMap { $0.contains { " :".contains($0) } ? nil : $0 }
  }

  private func take(_ bytes: [UInt8]) {
    state.withLock { state in
      state.rest += bytes
      let lines = state.rest.split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }
      state.rest = Array(lines.last ?? [])
      let whole = lines.dropLast().map { String(decoding: $0, as: UTF8.self) }
      state.last = whole.last { !$0.allSatisfy(\.isWhitespace) } ?? state.last
    }
  }

  /// The last whole line that it wrote.
  var lastLine: String { state.withLock { $0.last } }

  var isRunning: Bool { process.isRunning }

  /// Asks a training to save and stop; mpirun passes this signal on.
  func askToStop() { kill(process.processIdentifier, SIGUSR1) }

  /// Ends it by SIGTERM.
  func end() { kill(process.processIdentifier, SIGTERM) }

  /// Waits for the end, and for what was written.
  ///
  /// - Returns: the exit status; 128 and the signal's number for an end by a signal.
  func finish() -> Int32 {
    process.waitUntilExit()
    _ = hasEnded.wait(timeout: .now() + 5)
    return process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
  }
}
