import Foundation
import TestSupport
import Testing

/// A job in which something goes wrong, and how it must end.
private struct Failure: CustomTestStringConvertible, Sendable {
  let name: String
  /// `LATHE_FAULT`, see `Fault`.
  var fault: String?
  /// What the last rank is told differently.
  var other: [String] = []
  let status: Int32
  /// What the output must say, the first in exactly one line; each may be a regular expression.
  let says: [String]
  /// Whether it is for the watchdog to end it.
  var stalls = false
  /// Seconds after which all ranks must be gone.
  var within = 25.0

  var testDescription: String { name }
}

/// Seconds; long enough for a busy machine in jobs that are not to stall.
private let (stallTimeout, patience) = (4, 30)

private let failures = [
  Failure(
    name: "throw", fault: "rank=1,step=4,kind=throw", status: 70,
    says: ["rank 1 on \\S+: a fault was asked for"]),
  Failure(
    name: "trap", fault: "rank=1,step=4,kind=trap", status: 128 + 4,
    says: ["rank 1 on \\S+: trap \\(signal 4\\) at step 5"]),
  Failure(
    name: "exit(0) early", fault: "rank=1,step=4,kind=exit", status: 70,
    says: ["rank 1 on \\S+: exit at step 5, before the run was finished"]),
  Failure(
    name: "kill -9", fault: "rank=1,step=4,kind=kill", status: 128 + 9,
    says: [killed(1)]),
  Failure(
    name: "NaN in one rank's loss", fault: "rank=1,step=4,kind=nan", status: 70,
    says: ["step 5, phase elbo: total is nan, first on rank 1 on \\S+, slice 1\\.", "step-000004"]),
  Failure(
    name: "SIGSTOP", fault: "rank=1,step=4,kind=stop", status: 69,
    says: [
      "stalled in step 5; ranks 0, 2, 3 on \\S+ arrived; rank 1 on \\S+ did not: between two steps"
    ],
    stalls: true),
  Failure(
    name: "endless sleep", fault: "rank=2,step=0,kind=sleep", status: 69,
    says: [
      "stalled in step 1; ranks 0, 1, 3 on \\S+ arrived; rank 2 on \\S+ did not: between two steps",
      // A step that takes long is shown.
      "step 1/8 … \\d s",
    ],
    stalls: true),
  Failure(
    name: "data missing on one rank", other: ["mnist", "--data", "/nowhere"], status: 66,
    says: ["lathe: rank 3 on \\S+: .*/nowhere"]),
  Failure(
    name: "other configuration on one rank", other: ["synthetic", "--set", "learningRate=0.5"],
    status: 65,
    says: ["lathe: rank 3 on \\S+ differs from rank 0 in learningRate: expected [^;]+, found 0.5"]),
  Failure(
    name: "other parameter shapes on one rank", other: ["synthetic", "--set", "filters=8"],
    status: 65,
    says: [
      "rank 3 on \\S+ differs from rank 0 in filters: expected 4, found 8; parameter encoder",
      "expected \\[4, 4, 1, 4\\], found \\[4, 4, 1, 8\\]",
    ]),
  Failure(
    name: "kill -9 while a checkpoint is written", fault: "rank=0,step=4,kind=kill-while-saving",
    status: 128 + 9, says: [killed(0)]),
]

/// What is said of a rank that was killed, by Open MPI's mpirun, or by `launch/local` for MPICH's.
private func killed(_ rank: Int) -> String {
  launcher.kind == "hydra"
    ? "rank \(rank) on \\S+: exited on signal 9"
    : "process rank \(rank) with PID \\d+ on node \\S+ exited on"
}

/// What Open MPI says of an end that the ranks have explained already.
private var mpirunsOwnWords: Regex<Substring> {
  /MPI_ABORT was invoked|Primary job|mpirun detected|mpirun noticed|ORTE_ERROR/
}

/// Arguments of a short run on generated images.
private func narrow(_ out: String, dataset: [String] = ["synthetic"], stallTimeout: Int = patience)
  -> [String]
{
  ["train", "vae"] + dataset + [
    "--steps", "8", "--batch", "32", "--slices", "4", "--set", "latentSize=6", "--set",
    "hiddenSize=24", "--out", out, "--checkpoint-every", "2", "--sample-every", "0",
    "--stall-timeout", "\(stallTimeout)",
  ] + (dataset.contains("filters=8") ? [] : ["--set", "filters=4"])
}

private func model(_ run: String, step: Int) throws -> [Data] {
  try ["model.safetensors", "optimizer.safetensors", "state.json"].map {
    try Data(
      contentsOf: URL(
        fileURLWithPath: "\(run)/checkpoints/step-\(String(format: "%06d", step))/\($0)"))
  }
}

/// Nobody hangs, whatever happens to one rank, and the rank that began it is named.
@Suite(.serialized) struct FailureTests {
  @Test(arguments: failures) private func endsInTimeAndNamesTheRank(_ failure: Failure) throws {
    try withFolder { folder in
      let timeout = failure.stalls ? stallTimeout : patience
      let other =
        failure.other.isEmpty ? nil : narrow("\(folder)/run", dataset: failure.other)
      let result = try mpirunResult(
        4, "FaultyLathe", narrow("\(folder)/run", stallTimeout: timeout), last: other,
        environment: ["LATHE_FAULT": failure.fault], timeout: 60)
      let output = result.output + result.errorOutput
      #expect(result.status == failure.status, "\(result)")
      let seconds = result.seconds + (try secondsUntilGone("\(folder)/run"))
      #expect(seconds < failure.within, "until all ranks are gone")
      for text in failure.says {
        #expect(output.contains(try Regex(text)), "\(text) in \(result)")
      }
      let said = try lines(of: output, with: failure.says[0])
      #expect(said.count == 1, "\(failure.says[0]) is said once in \(result)")
      if failure.status < 128 { #expect(!output.contains(mpirunsOwnWords)) }
      #expect(!output.contains("no checkpoint yet") && !output.contains("stopping after"))
      print(row(failure.name, seconds, result, said.first ?? "nothing of what was expected"))
    }
  }

  private func lines(of output: String, with pattern: String) throws -> [String] {
    let pattern = try Regex(pattern)
    return output.split(separator: "\n").filter { $0.contains(pattern) }.map(String.init)
  }

  /// Seconds from now until no rank of a run is left; a rank may outlive mpirun by a moment.
  private func secondsUntilGone(_ run: String) throws -> Double {
    let start = ContinuousClock.now
    while true {
      let alive = try runProcess(
        "pgrep", ["--runstates", "R,S,D,T", "-f", "[lL]athe train .*\(run)"], timeout: 10)
      let seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
      if alive.output == "" || seconds > 30 { return seconds }
      usleep(100_000)
    }
  }

  /// A line of the table of failures.
  private func row(_ name: String, _ seconds: Double, _ result: ProcessResult, _ said: String)
    -> String
  {
    let seconds = String(format: "%.1f", seconds)
    return "| \(name) | \(seconds) s | \(result.status) | \(said) |"
  }

  /// Faults are the tests' own: the program has none.
  @Test func theProgramItselfMakesNoFaults() throws {
    try withFolder { folder in
      let result = try mpirunResult(
        1, "lathe", narrow("\(folder)/run"),
        environment: ["LATHE_FAULT": "rank=0,step=4,kind=throw"], timeout: 60)
      #expect(result.status == 0, "\(result)")
    }
  }

  /// A fault found before MPI starts is told once, and only by lathe.
  @Test(arguments: [1, 2, 4]) func wrongUsageIsAllThatIsSaid(ranks: Int) throws {
    let result = try mpirunResult(ranks, "lathe", ["train", "vae", "--wrong"], timeout: 60)
    #expect(result.status == 64, "\(result)")
    #expect(try lines(of: result.errorOutput, with: "Unknown option '--wrong'").count == 1)
    #expect(!result.errorOutput.contains(mpirunsOwnWords), "\(result)")
  }

  @Test func aKillWhileSavingLeavesALoadableRun() throws {
    try withFolder { folder in
      _ = try mpirunResult(
        2, "FaultyLathe", narrow("\(folder)/run"),
        environment: ["LATHE_FAULT": "rank=0,step=4,kind=kill-while-saving"], timeout: 60)
      let resumed = try mpirunResult(
        1, "lathe", narrow("\(folder)/run") + ["--resume"], timeout: 60)
      #expect(resumed.output.contains("resumed after step 2"), "\(resumed)")
      _ = try mpirunResult(4, "lathe", narrow("\(folder)/straight"), timeout: 60)
      #expect(try model("\(folder)/run", step: 8) == model("\(folder)/straight", step: 8))
      let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run/checkpoints")
      #expect(left.sorted() == ["step-000004", "step-000006", "step-000008"])
    }
  }

  @Test(arguments: ["usr1", "term", "interrupt", "hangup"])
  func asSignalSavesStopsAndResumesExactly(_ kind: String) throws {
    try withFolder { folder in
      let fault = "rank=1,step=4,kind=\(kind)"
      let stopped = try mpirunResult(
        2, "FaultyLathe", narrow("\(folder)/run"), environment: ["LATHE_FAULT": fault], timeout: 60)
      #expect(stopped.status == 75, "\(stopped)")
      #expect(!stopped.errorOutput.contains(mpirunsOwnWords), "\(stopped)")
      #expect(stopped.output.contains("after step 5; to continue: lathe train --resume --out "))
      let resumed = try mpirunResult(
        4, "lathe", narrow("\(folder)/run") + ["--resume"], timeout: 60)
      #expect(resumed.status == 0 && resumed.output.contains("resumed after step 5"), "\(resumed)")
      _ = try mpirunResult(1, "lathe", narrow("\(folder)/straight"), timeout: 60)
      #expect(try model("\(folder)/run", step: 8) == model("\(folder)/straight", step: 8))
    }
  }

  /// On a file system of 1 MB of its own; needs root.
  @Test(.enabled(if: geteuid() == 0, "skipped: mounting a small file system needs root"))
  func aFullDiskLeavesTheCheckpointBefore() throws {
    try withFolder { folder in
      let mounted = try runProcess(
        "mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], timeout: 10)
      guard mounted.status == 0 else {
        print("skipped: no tmpfs can be mounted here: \(mounted.errorOutput)")
        return
      }
      defer { _ = try? runProcess("umount", [folder], timeout: 10) }
      let full = narrow("\(folder)/run") + ["--steps", "40", "--set", "hiddenSize=48"]
      let result = try mpirunResult(2, "lathe", full, timeout: 60)
      #expect(result.status == 73, "\(result)")
      let said = try lines(of: result.errorOutput, with: "[Nn]o space")
      #expect(said.count == 1, "\(result)")
      #expect(try lines(of: result.errorOutput, with: "rank 0 on \\S+: .*step-\\d+") == said)
      let steps = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run/checkpoints")
        .filter { $0.hasPrefix("step-") }.sorted()
      print(row("disk full", result.seconds, result, said.first ?? ""))
      #expect(!steps.isEmpty)
    }
  }

  /// Rank 0 answers, whoever else gets the signal; SIGTERM may be a launcher's, after a failure.
  @Test(arguments: [("usr1", 1), ("interrupt", 1), ("term", 0)])
  func aSignalIsAnsweredByRankZero(_ kind: String, answers: Int) throws {
    try withFolder { folder in
      let result = try mpirunResult(
        2, "FaultyLathe", narrow("\(folder)/run"),
        environment: ["LATHE_FAULT": "rank=0,step=4,kind=\(kind)"], timeout: 60)
      #expect(result.status == 75, "\(result)")
      let said = try lines(
        of: result.errorOutput, with: "^lathe: SIG[A-Z1]+: stopping after this step or evaluation")
      #expect(said.count == answers, "\(result)")
    }
  }

  /// A run that nearly always evaluates is interrupted after its first evaluation: the answer comes
  /// within two seconds, whatever the run is doing.
  @Test(arguments: ["INT", "TERM"]) func aSignalIsAnsweredDuringAnEvaluation(_ signal: String)
    throws
  {
    try withFolder { folder in
      let options = narrow("\(folder)/run") + ["--steps", "1000", "--evaluate-every", "1"]
      let script = """
        "$0" "$@" > \(folder)/out 2> \(folder)/errors & job=$!
        for i in {1..300}; do grep -q 'on validation images' \(folder)/out && break; sleep 0.1; done
        kill -\(signal) $job
        for i in {1..20}; do grep -q SIG\(signal) \(folder)/errors && break; sleep 0.1; done
        echo answered $(grep -c '^lathe: SIG\(signal): stopping' \(folder)/errors)
        for i in {1..300}; do kill -0 $job 2> /dev/null || break; sleep 0.1; done
        kill -9 $job 2> /dev/null
        wait $job
        """
      let result = try oneJobAtATime {
        try runProcess(
          "bash", ["-c", script, try builtExecutable("lathe")] + options, timeout: 90)
      }
      #expect(result.output.contains("answered 1\n"), "\(result)")
      #expect(result.status == 75, "\(result)")
    }
  }
}
