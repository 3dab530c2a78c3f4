import Foundation
import TestSupport
import Testing

/// The repository's folder.
private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path

/// Runs a script of the repository on its own; nil when its status is 77: it cannot run here, and
/// says why.
private func script(_ path: String, _ arguments: [String] = []) throws -> ProcessResult? {
  let result = try oneJobAtATime {
    try runProcess(
      "\(repository)/\(path)", arguments, environment: ["LATHE": try builtExecutable("lathe")],
      timeout: patience)
  }
  guard result.status != 77 else {
    print(result.errorOutput)
    return nil
  }
  print(result.output)
  return result
}

/// Seconds within which whatever is waited for happens, on a busy machine too.
private let patience = 400.0

/// The scripts in launch/, under failures.
@Suite(.serialized) struct LaunchTests {
  private func train(_ out: String, steps: Int) throws -> [String] {
    [
      try builtExecutable("lathe"), "train", "vae", "synthetic", "--steps", "\(steps)", "--batch",
      "32", "--slices", "4", "--set", "latentSize=6", "--set", "filters=4", "--set",
      "hiddenSize=24", "--out", out, "--checkpoint-every", "2", "--sample-every", "0",
    ]
  }

  /// SIGTERM to the launcher, as from a scheduler, and SIGINT, as Ctrl-C: saved, status 75, no rank
  /// left.
  @Test(arguments: ["TERM", "INT", "USR1"]) func aSignalToTheLauncherSaves(_ signal: String) throws
  {
    try withFolder { folder in
      let run = "\(folder)/run"
      let command =
        try ["\(repository)/launch/local", "-n", "2", "--"] + train(run, steps: 1_000_000)
      // A shell starts background jobs deaf to SIGINT; env undoes that. Afterwards the ranks may
      // take a moment to leave.
      let text = """
        env --default-signal=INT \(command.map { "'\($0)'" }.joined(separator: " ")) &
        until compgen -G '\(run)/checkpoints/step-*'; do sleep 0.1; done >/dev/null
        kill -\(signal) $!
        status=0
        wait $! || status=$?
        while pgrep --runstates R,S,D,T -f 'lathe train .*[-]-out \(run)'; do
          sleep 0.2
        done >/dev/null
        exit $status
        """
      let result = try oneJobAtATime {
        try runProcess("bash", ["-c", text], timeout: patience)
      }
      #expect(result.status == 75, "\(result)")
      #expect(result.output.contains("stopped by SIGUSR1 after step"), "\(result)")
    }
  }

  /// The fault strikes at each launch that comes to step 5, so as many launches are made as are
  /// allowed. The checkpoint of step 2 is on the disk by then, because that of step 4 waits for it.
  @Test func restartsAreCountedAndWrongUsageIsNotRepeated() throws {
    try withFolder { folder in
      let launch = "\(repository)/launch/local"
      func run(_ arguments: [String], _ environment: [String: String] = [:]) throws
        -> ProcessResult
      {
        try oneJobAtATime {
          try runProcess(launch, arguments, environment: environment, timeout: patience)
        }
      }
      let failing = try run(
        ["-n", "2,1", "--restarts", "2", "--"] + train("\(folder)/run", steps: 6),
        ["LATHE_FAULT": "rank=0,step=5,kind=kill"])
      #expect(failing.status == 137, "\(failing)")
      #expect(failing.errorOutput.contains("launch 3 of at most 3"))
      #expect(failing.output.components(separatedBy: "resumed after step ").count == 3)
      let wrong = try run(["--restarts", "2", "--"] + train("\(folder)/other", steps: 0))
      #expect(wrong.status == 64 && !wrong.errorOutput.contains("launch 2"), "\(wrong)")
      let nothing = try run(["-n", "x", "--", "true"])
      #expect(nothing.status != 0 && nothing.errorOutput.contains("found 'x'"), "\(nothing)")
    }
  }

  /// Random kills at changing numbers of ranks; `Tests/kills` makes 20 of them.
  @Test func killsChangeNoBit() throws {
    let result = try #require(try script("Tests/kills", ["4", "300"]))
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("the files are those of the uninterrupted run"))
  }

  @Test(arguments: ["same", "overlap", "link", "daemon"]) func severalHosts(_ check: String) throws
  {
    guard let result = try script("Tests/hosts", [check]) else { return }
    #expect(result.status == 0, "\(result)")
  }

  @Test func underSlurm() throws {
    guard let result = try script("Tests/slurm") else { return }
    #expect(result.status == 0, "\(result)")
  }
}
