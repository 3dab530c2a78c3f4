import Foundation
import TestSupport
import Testing

@Suite struct ProcessTests {
  @Test func statusAndOutputs() throws {
    let result = try runProcess("sh", ["-c", "echo out; echo err >&2; exit 7"], timeout: 10)
    #expect(result.status == 7)
    #expect(result.output == "out\n")
    #expect(result.errorOutput == "err\n")
    #expect(try runProcess("sh", ["-c", "kill -15 $$"], timeout: 10).status == 128 + 15)
  }

  @Test func environment() throws {
    let result = try runProcess(
      "sh", ["-c", "echo $ADDED,$HOME"], environment: ["ADDED": "a b", "HOME": nil], timeout: 10)
    #expect(result.output == "a b,\n")
  }

  /// Both outputs far beyond a pipe's buffer, written in turn.
  @Test func longOutputs() throws {
    let script = "for i in 1 2 3; do head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done"
    let result = try runProcess("sh", ["-c", script], timeout: 30)
    #expect(result.status == 0)
    #expect(result.output.utf8.count == 3_000_000)
    #expect(result.errorOutput.utf8.count == 3_000_000)
  }

  @Test func missingExecutable() {
    #expect(throws: ProcessError.self) { try runProcess("no-such-program", timeout: 10) }
    #expect(throws: ProcessError.self) { try builtExecutable("no-such-program") }
  }

  /// A tree of processes that ignore SIGTERM ends with the time-out, and what they wrote is kept.
  @Test func timeout() throws {
    let script = "trap '' TERM; echo $$; (trap '' TERM; sleep 600) & sleep 600; sleep 600"
    let start = Date()
    let error = #expect(throws: ProcessError.self) {
      try runProcess("sh", ["-c", script], timeout: 1)
    }
    #expect(Date().timeIntervalSince(start) < 15)
    guard case .timedOut(_, _, let result) = error else {
      Issue.record("expected a time-out, found \(String(describing: error))")
      return
    }
    let group = try #require(pid_t(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    usleep(200_000)
    // Running, sleeping or waiting for a disk; a process that has ended may still be listed as a
    // zombie.
    let alive = try runProcess("pgrep", ["-g", "\(group)", "--runstates", "R,S,D"], timeout: 10)
    #expect(alive.output == "", "processes of group \(group) live on: \(alive.output)")
  }

  /// A child that outlives its parent and holds the pipes does not keep the call waiting.
  @Test func orphansDoNotBlock() throws {
    let result = try runProcess("sh", ["-c", "sleep 20 & echo started"], timeout: 10)
    #expect(result.status == 0)
    #expect(result.output == "started\n")
    #expect(result.seconds < 5)
  }

  /// mpirun and its ranks are gone after a time-out.
  @Test(.enabled(if: launcher.kind != "hydra", "skipped: MPICH's jobs have their own session"))
  func jobThatHangs() throws {
    let mark = "600.\(getpid())"
    let error = #expect(throws: ProcessError.self) {
      try mpirun(2, "DistributedChecks", "hang", mark, timeout: 3)
    }
    guard case .timedOut = error else {
      Issue.record("expected a time-out, found \(String(describing: error))")
      return
    }
    usleep(500_000)
    let alive = try runProcess(
      "pgrep", ["--runstates", "R,S,D", "-f", "DistributedChecks hang \(mark)"], timeout: 10)
    #expect(alive.output == "", "ranks live on: \(alive.output)")
  }
}
