import Foundation

/// What a process left behind.
public struct ProcessResult: Sendable, CustomStringConvertible {
  /// The exit status, or 128 + the number of the signal that ended it.
  public let status: Int32
  /// All that it wrote to standard output.
  public let output: String
  /// All that it wrote to standard error.
  public let errorOutput: String
  /// How long it ran, in seconds.
  public let seconds: Double

  /// Status and both outputs, for a message.
  public var description: String {
    "exit status \(status)\n--- standard output:\n\(output)\n--- standard error:\n\(errorOutput)"
  }
}

/// Why a process gave no result.
public enum ProcessError: Error, CustomStringConvertible {
  /// The process could not be started: the executable and the system's reason.
  case notStarted(String, reason: String)
  /// The process was ended after so many seconds; what it had written by then.
  case timedOut(String, seconds: Double, ProcessResult)
  /// The process ended with a status other than 0.
  case failed(String, ProcessResult)

  /// The command and what became of it, with all that it wrote.
  public var description: String {
    switch self {
    case .notStarted(let command, let reason): "\(command): \(reason)"
    case .timedOut(let command, let seconds, let result):
      "\(command): ended after \(seconds) s without result, \(result)"
    case .failed(let command, let result): "\(command): \(result)"
    }
  }
}

/// Runs an executable to its end.
///
/// - Parameters:
///   - executable: a path, or a name that is looked up in `PATH`.
///   - environment: variables set in addition to this process's own; nil removes one.
///   - timeout: after so many seconds the process, its group and its descendants are ended.
/// - Throws: `ProcessError` when it cannot be started or does not end in time; an exit status does
///   not throw.
public func runProcess(
  _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
  timeout: Double
) throws -> ProcessResult {
  let command = ([executable] + arguments).joined(separator: " ")
  let child = try ChildProcess(executable, arguments, environment: environment)
  let inTime = child.collect(for: timeout)
  if !inTime { child.end() }
  let result = child.result()
  if !inTime { throw ProcessError.timedOut(command, seconds: timeout, result) }
  return result
}

/// Whether a program of that name is in `PATH`.
public func isInstalled(_ program: String) -> Bool {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
}

/// Waits until the condition holds, at most so long; whether it does.
@discardableResult
public func wait(atMost limit: Duration, until condition: () -> Bool) -> Bool {
  let end = ContinuousClock.now + limit
  while !condition() && ContinuousClock.now < end { usleep(500) }
  return condition()
}

/// A running process in a group of its own, its outputs collected as they come.
private final class ChildProcess {
  private let pid: pid_t
  private let started = now()
  private var outputs: [Int32: [UInt8]]
  private let outputPipe, errorPipe: Int32
  private var open: Set<Int32>
  private var waitStatus: Int32?

  init(_ executable: String, _ arguments: [String], environment: [String: String?]) throws {
    let output = try makePipe()
    let errors = try makePipe()
    let spawned = spawn(
      executable, arguments, environment: environment, output: output.write, errors: errors.write)
    close(output.write)
    close(errors.write)
    (outputPipe, errorPipe) = (output.read, errors.read)
    guard let pid = spawned.pid else {
      close(outputPipe)
      close(errorPipe)
      throw ProcessError.notStarted(executable, reason: String(cString: strerror(spawned.error)))
    }
    self.pid = pid
    outputs = [outputPipe: [], errorPipe: []]
    open = [outputPipe, errorPipe]
  }

  deinit {
    for pipe in open { close(pipe) }
  }

  /// Reads both outputs until the process has ended; false if it has not within so many seconds.
  ///
  /// A descendant that lives on and holds a pipe does not keep it waiting: what is in the pipes is
  /// read, no more.
  func collect(for seconds: Double) -> Bool {
    let deadline = now() + seconds
    while now() < deadline {
      readAvailable(waitingMilliseconds: 20)
      if hasEnded() {
        readAvailable(waitingMilliseconds: 0)
        return true
      }
    }
    return false
  }

  /// Ends the process and all that it started: politely, so that a launcher can end its ranks, then
  /// by force.
  func end() {
    let descendants = descendants(of: pid)
    kill(-pid, SIGTERM)
    if collect(for: 3) && descendants.allSatisfy({ kill($0, 0) != 0 }) { return }
    kill(-pid, SIGKILL)
    for descendant in descendants { kill(descendant, SIGKILL) }
    _ = collect(for: 3)
  }

  func result() -> ProcessResult {
    ProcessResult(
      status: exitStatus(waitStatus ?? SIGKILL),
      output: String(decoding: outputs[outputPipe]!, as: UTF8.self),
      errorOutput: String(decoding: outputs[errorPipe]!, as: UTF8.self), seconds: now() - started)
  }

  private func hasEnded() -> Bool {
    if waitStatus != nil { return true }
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return false }
    waitStatus = status
    return true
  }

  /// Reads until the pipes are empty; waits so long for the first bytes.
  private func readAvailable(waitingMilliseconds: Int32) {
    var wait = waitingMilliseconds
    while true {
      var polled = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      // With both pipes closed this is a pause.
      guard poll(&polled, nfds_t(polled.count), wait) > 0 else { return }
      for entry in polled where entry.revents != 0 { readOnce(entry.fd) }
      wait = 0
    }
  }

  private func readOnce(_ pipe: Int32) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(pipe, &buffer, buffer.count)
    if count > 0 {
      outputs[pipe]! += buffer[..<count]
    } else if count == 0 {
      close(pipe)
      open.remove(pipe)
    }
  }
}

/// Both ends of a new pipe, which other children do not inherit.
private func makePipe() throws -> (read: Int32, write: Int32) {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else {
    throw ProcessError.notStarted("pipe", reason: String(cString: strerror(errno)))
  }
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  return (ends[0], ends[1])
}

/// Starts the executable as the leader of a new process group; its number, or the system's error.
private func spawn(
  _ executable: String, _ arguments: [String], environment: [String: String?], output: Int32,
  errors: Int32
) -> (pid: pid_t?, error: Int32) {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  // Signals that the test runner ignores or blocks must reach the child.
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigfillset(&signals)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
  posix_spawnattr_setflags(&attributes, Int16(flags))

  var variables = ProcessInfo.processInfo.environment
  for (name, value) in environment { variables[name] = value }
  var pid: pid_t = 0
  let error = withCStrings([executable] + arguments) { arguments in
    withCStrings(variables.map { "\($0)=\($1)" }) { variables in
      posix_spawnp(&pid, executable, &actions, &attributes, arguments, variables)
    }
  }
  return (error == 0 ? pid : nil, error)
}

/// Calls `body` with the strings as C has them: pointers, the last of which is null.
private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let copies = strings.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  return body(copies + [nil])
}

/// Processes whose parent is `pid`, and theirs, as /proc has them now.
private func descendants(of pid: pid_t) -> [pid_t] {
  var children: [pid_t: [pid_t]] = [:]
  for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
    guard let child = pid_t(name), let parent = parent(of: child) else { continue }
    children[parent, default: []].append(child)
  }
  var found = children[pid] ?? []
  var next = 0
  while next < found.count {
    found += children[found[next]] ?? []
    next += 1
  }
  return found
}

private func parent(of pid: pid_t) -> pid_t? {
  guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
  // "pid (name) state parent …", where the name may hold anything.
  let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(
    separator: " ")
  return fields.flatMap { $0.count > 1 ? pid_t($0[1]) : nil }
}

/// The exit status in what `waitpid` gives, or 128 + the signal's number.
private func exitStatus(_ waitStatus: Int32) -> Int32 {
  let signal = waitStatus & 0x7f
  return signal == 0 ? (waitStatus >> 8) & 0xff : 128 + signal
}

/// Seconds of a clock that only goes forward.
private func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
