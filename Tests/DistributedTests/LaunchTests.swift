import Foundation
import TestSupport
import Testing

/// The repository's folder.
private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path

/// Runs a script of the repository; its status 77 means that it cannot run here and says why.
private func script(_ path: String, _ arguments: [String] = [], timeout: Double) throws
  -> ProcessResult?
{
  let result = try runProcess(
    "\(repository)/\(path)", arguments, environment: ["LATHE": try builtExecutable("lathe")],
    timeout: timeout)
  if result.status == 77 {
    print(result.errorOutput)
    return nil
  }
  return result
}

private let isAsked = ProcessInfo.processInfo.environment["LATHE_TEST_LAUNCHERS"] != nil

/// The scripts in launch/, under failures.
@Suite(
  .serialized,
  .enabled(
    if: isAsked, "takes minutes: set LATHE_TEST_LAUNCHERS=1"
  ))
struct LaunchTests {
  private func train(_ out: String, steps: Int) throws -> [String] {
    [
      try builtExecutable("lathe"), "train", "vae", "synthetic", "--steps", "\(steps)", "--batch",
      "32", "--slices", "4", "--set", "latentSize=6", "--set", "filters=4", "--set",
      "hiddenSize=24", "--out", out, "--checkpoint-every", "2", "--sample-every", "0",
    ]
  }

  /// SIGTERM to the launcher, as from a scheduler, and SIGINT, as Ctrl-C: saved, status 75, no rank left.
  @Test(arguments: ["TERM", "INT", "USR1"]) func aSignalToTheLauncherSaves(_ signal: String) throws
  {
    try withFolder { folder in
      let run = "\(folder)/run"
      let command =
        try ["\(repository)/launch/local", "-n", "2", "--"] + train(run, steps: 100_000)
      // A shell starts background jobs deaf to SIGINT; env undoes that.
      let text = """
        env --default-signal=INT \(command.map { "'\($0)'" }.joined(separator: " ")) &
        until [ -d '\(run)/checkpoints/step-000002' ]; do sleep 0.1; done
        kill -\(signal) $!
        wait $!
        """
      let result = try runProcess("bash", ["-c", text], timeout: 60)
      #expect(result.status == 75, "\(result)")
      #expect(result.output.contains("stopped by SIGUSR1 after step"), "\(result)")
      let alive = try runProcess("pgrep", ["-f", "lathe train .*\(run)"], timeout: 10)
      #expect(alive.output == "")
    }
  }

  /// The fault strikes at each launch that comes to step 5, so as many launches are made as are allowed. The checkpoint
  /// of step 2 is on the disk by then, because that of step 4 waits for it.
  @Test func restartsAreCountedAndWrongUsageIsNotRepeated() throws {
    try withFolder { folder in
      let launch = "\(repository)/launch/local"
      let failing = try runProcess(
        launch, ["-n", "2,1", "--restarts", "2", "--"] + train("\(folder)/run", steps: 6),
        environment: ["LATHE_FAULT": "rank=0,step=5,kind=kill"], timeout: 60)
      #expect(failing.status == 137, "\(failing)")
      #expect(failing.errorOutput.contains("launch 3 of at most 3"))
      #expect(failing.output.components(separatedBy: "resumed after step ").count == 3)
      let wrong = try runProcess(
        launch, ["--restarts", "2", "--"] + train("\(folder)/other", steps: 0), timeout: 60)
      #expect(wrong.status == 64 && !wrong.errorOutput.contains("launch 2"), "\(wrong)")
      let nothing = try runProcess(launch, ["-n", "x", "--", "true"], timeout: 10)
      #expect(nothing.status != 0 && nothing.errorOutput.contains("found 'x'"), "\(nothing)")
    }
  }

  /// Random kills at changing numbers of ranks; `Tests/kills` makes 20 of them.
  @Test func killsChangeNoBit() throws {
    let result = try #require(try script("Tests/kills", ["4", "60"], timeout: 150))
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("the files are those of the uninterrupted run"))
  }

  @Test(arguments: ["same", "link", "daemon"]) func severalHosts(_ check: String) throws {
    guard let result = try script("Tests/hosts", [check], timeout: 120) else { return }
    print(result.output)
    #expect(result.status == 0, "\(result)")
  }

  @Test func underSlurm() throws {
    guard let result = try script("Tests/slurm", timeout: 150) else { return }
    #expect(result.status == 0, "\(result)")
  }
}
