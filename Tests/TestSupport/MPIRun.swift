import Foundation

/// One job at a time: several at once on a few cores would time out for no fault of their own.
private let jobLock = NSLock()

/// Runs `body`, which starts jobs in its own way, while no other job runs.
public func oneJobAtATime<Result>(_ body: () throws -> Result) rethrows -> Result {
  try jobLock.withLock(body)
}

private let scripts =
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path + "/launch"

/// The kind of the mpirun in PATH, as `launch/common.sh` has them, and its options for ranks of one
/// machine.
public let launcher: (kind: String, options: [String]) = {
  let script = #"source "$0/common.sh"; kind=$(mpi_kind); echo $kind; local_options $kind"#
  let answer = try? runProcess("bash", ["-c", script, scripts], timeout: 60)
  let words = (answer?.output ?? "").split { $0.isWhitespace }.map(String.init)
  return (words.first ?? "other", Array(words.dropFirst()))
}()

/// A command for shells that starts so many ranks, a number or a shell's variable.
public func mpirunCommand(_ ranks: Any) -> String {
  "mpirun -n \(ranks) \(launcher.options.joined(separator: " "))"
}

/// Runs a built executable on so many ranks by mpirun, MPICH's by `launch/local`, without judging
/// its exit status.
///
/// - Parameters:
///   - executable: the name of a product or target, found beside the running tests.
///   - last: what the last rank is told in place of `arguments`, by a shell: mpirun of Open MPI
///     5.0.7 crashes at a colon.
///   - environment: variables set in addition; nil removes one.
///   - timeout: in seconds, not counting the wait for other jobs.
/// - Throws: `ProcessError` when it cannot be started or does not end in time.
public func mpirunResult(
  _ ranks: Int, _ executable: String, _ arguments: [String], last: [String]? = nil,
  environment: [String: String?] = [:], timeout: Double
) throws -> ProcessResult {
  var variables = environment
  if geteuid() == 0 {
    variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
  }
  // The statuses of MPICH's mpirun say too little.
  let isMPICH = launcher.kind == "hydra"
  let options = ["-n", "\(ranks)"] + (isMPICH ? ["--"] : launcher.options)
  var command = [try builtExecutable(executable)] + arguments
  if let last {
    let script = """
      rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK} n=\(arguments.count)
      if ((rank == \(ranks - 1))); then exec "$0" "${@:n+1}"; else exec "$0" "${@:1:n}"; fi
      """
    command = ["bash", "-c", script] + command + last
  }
  return try oneJobAtATime {
    try runProcess(
      isMPICH ? "\(scripts)/local" : "mpirun", options + command, environment: variables,
      timeout: timeout)
  }
}

/// Runs a built executable on so many ranks.
///
/// - Throws: `ProcessError`, with all that was written, when it cannot be started, does not end in
///   `timeout` seconds or ends with a status other than 0.
@discardableResult
public func mpirun(
  _ ranks: Int, _ executable: String, _ arguments: String..., timeout: Double
) throws -> ProcessResult {
  let result = try mpirunResult(ranks, executable, arguments, timeout: timeout)
  guard result.status == 0 else {
    let command = "mpirun -n \(ranks) \(executable) \(arguments.joined(separator: " "))"
    throw ProcessError.failed(command, result)
  }
  return result
}

/// The path of an executable of this package, in the folder of the running test binary.
///
/// - Throws: `ProcessError` when there is none.
public func builtExecutable(_ name: String) throws -> String {
  let running = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let path = URL(fileURLWithPath: running).deletingLastPathComponent().appendingPathComponent(name)
    .path
  guard FileManager.default.isExecutableFile(atPath: path) else {
    throw ProcessError.notStarted(path, reason: "not built")
  }
  return path
}
