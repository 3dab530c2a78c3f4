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
  private func train(_ out: String, steps: Int, program: String = "lathe") throws -> [String] {
    [
      try builtExecutable(program), "train", "vae", "synthetic", "--steps", "\(steps)", "--batch",
      "32", "--slices", "4", "--set", "latentSize=6", "--set", "filters=4", "--set",
      "hiddenSize=24", "--out", out, "--checkpoint-every", "2", "--sample-every", "0",
    ]
  }

  /// A file that would run a command when unpickled is refused, and runs nothing.
  @Test func convertInceptionRunsNothingOfItsInput() throws {
    try withFolder { folder in
      let (file, trap) = ("\(folder)/weights.pth", "\(folder)/trap")
      // In the text form of pickle: posix.system("touch TRAP").
      try "cposix\nsystem\n(S'touch \(trap)'\ntR.".write(
        toFile: file, atomically: true, encoding: .utf8)
      let result = try runProcess(
        "\(repository)/launch/convert-inception", [file, "\(folder)/out"], timeout: patience)
      guard result.status != 127 else { return print("no python3 here") }
      #expect(result.status == 65 && result.errorOutput.contains("found posix.system"), "\(result)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["weights.pth"])
    }
  }

  /// SIGTERM to the launcher, as from a scheduler, SIGINT, as Ctrl-C, and SIGHUP, as at the end of
  /// a terminal: saved, status 75, no rank left.
  @Test(arguments: ["TERM", "INT", "USR1", "HUP"]) func aSignalToTheLauncherSaves(_ signal: String)
    throws
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

  /// A terminal that closes: the ranks save, and no process is left. `script` makes the terminal.
  @Test func aClosingTerminalSaves() throws {
    try withFolder { folder in
      let run = "\(folder)/run"
      let command =
        try ["\(repository)/launch/local", "-n", "2", "--"] + train(run, steps: 1_000_000)
        + ["--checkpoint-every", "1000000"]
      let text = """
        setsid script -qfc "\(command.map { "'\($0)'" }.joined(separator: " "))" /dev/null &
        until grep -q '"step":20[,}]' '\(run)/metrics.jsonl'; do sleep 0.1; done 2>/dev/null
        kill -KILL $!
        while pgrep --runstates R,S,D,T -f '[-]-out \(run)'; do sleep 0.2; done >/dev/null
        """
      let result = try oneJobAtATime {
        try runProcess("bash", ["-c", text], timeout: patience)
      }
      let saved = try FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints")
      #expect(saved.count == 1 && saved[0].hasPrefix("step-"), "\(saved) \(result)")
    }
  }

  /// Under nohup the end of the terminal is no reason to stop.
  @Test func nohupGoesOn() throws {
    try withFolder { folder in
      let run = "\(folder)/run"
      let command =
        try ["\(repository)/launch/local", "-n", "1", "--"] + train(run, steps: 3000)
      let text = """
        nohup \(command.map { "'\($0)'" }.joined(separator: " ")) >/dev/null 2>&1 &
        until compgen -G '\(run)/checkpoints/step-*'; do sleep 0.1; done >/dev/null
        kill -HUP $!
        wait $!
        """
      let result = try oneJobAtATime {
        try runProcess("bash", ["-c", text], timeout: patience)
      }
      #expect(result.status == 0, "\(result)")
    }
  }

  /// Addresses and ports on which a job's processes listen after its first steps.
  private func ports(of launcher: [String], in folder: String) throws -> [String] {
    let run = "\(folder)/run"
    let command = try launcher + train(run, steps: 1_000_000)
    let text = """
      "$@" >'\(folder)/log' 2>&1 &
      exec 3>&2 2>/dev/null
      until grep -q '"step":[1-9]' '\(run)/metrics.jsonl' || ! kill -0 $!; do sleep 0.1; done
      '\(repository)/Tests/ports' $! $(pgrep -f '^(mpirun|prterun) .*[-]-out \(run)') \
        $(pgrep -f '^[^ ]*/lathe train .*[-]-out \(run)')
      kill -USR1 $!
      status=0
      wait $! || status=$?
      ((status == 75)) || cat '\(folder)/log' >&3
      exit $status
      """
    let result = try oneJobAtATime {
      try runProcess(
        "bash", ["-c", text, "-"] + command,
        environment: ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"],
        timeout: patience)
    }
    #expect(result.status == 75, "\(result)")
    return result.output.split(separator: "\n").map(String.init)
  }

  /// One rank opens no port. With several on one host, mpirun has ports on the loopback only.
  @Test func portsStayOnTheHost() throws {
    try withFolder { folder in
      let alone = try ports(of: [], in: folder)
      #expect(alone == [])
    }
    try withFolder { folder in
      let bound = try ports(of: ["\(repository)/launch/local", "-n", "2", "--"], in: folder)
      #expect(bound.count > 1)
      #expect(bound.allSatisfy { $0.hasPrefix("127.0.0.1:") || $0.hasPrefix("[::1]:") }, "\(bound)")
    }
    try withFolder { folder in
      let mpirun = ["mpirun", "-n", "2"] + launcher.options
      let open = try ports(of: mpirun, in: folder)
      #expect(open.contains { $0.hasPrefix("0.0.0.0:") }, "the check finds open ports: \(open)")
    }
  }

  /// Lists of hosts and the ranks that they ask for.
  @Test(arguments: [
    ("localhost slots=1 max_slots=2\n", 1), ("localhost slots = 2\r\n", 2), ("localhost", 1),
    ("# two\nlocalhost max-slots=9 slots=2 // of nine\n\n", 2), ("localhost\nlocalhost\n", 2),
  ])
  func listsOfHostsAreReadAsOpenMPIReadsThem(_ list: String, ranks: Int) throws {
    try withFolder { folder in
      try Data(list.utf8).write(to: URL(fileURLWithPath: "\(folder)/my hosts"))
      let result = try oneJobAtATime {
        try runProcess(
          "\(repository)/launch/cluster",
          ["--hosts", "\(folder)/my hosts", "--rsh", "ssh -p 2222", "--", "echo", "one"],
          timeout: patience)
      }
      #expect(result.output == String(repeating: "one\n", count: ranks), "\(result)")
    }
  }

  /// Other programs' ways to name a host are refused with the line.
  @Test(arguments: ["node1:2", "node1 -p 22 slots=2", "node1 2"])
  func aListOfAnotherKindIsRefused(_ line: String) throws {
    try withFolder { folder in
      try Data("localhost slots=1\n\(line)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/h"))
      let result = try runProcess(
        "\(repository)/launch/cluster", ["--hosts", "\(folder)/h", "--", "true"], timeout: patience)
      #expect(result.status == 64 && result.errorOutput.contains("found '\(line)'"), "\(result)")
    }
  }

  /// Folders, that of the scripts too, may have any name: no part of it is a command, a pattern or
  /// an option of mpirun's.
  @Test func anyNameIsAName() throws {
    try withFolder { folder in
      let odd = "\(folder)/a b$(touch x)'\";`touch y`\n--version c*[!]"
      try FileManager.default.createDirectory(atPath: odd, withIntermediateDirectories: true)
      try Data("localhost slots=2\n".utf8).write(to: URL(fileURLWithPath: "\(odd)/hosts"))
      try FileManager.default.copyItem(atPath: "\(repository)/launch", toPath: "\(odd)/launch")
      func launch(_ script: String, _ options: [String], steps: Int) throws -> ProcessResult {
        try oneJobAtATime {
          try runProcess(
            "bash",
            ["-c", "cd \"$0\" && exec \"$@\"", odd, "\(odd)/launch/\(script)"]
              + options + ["--"] + train("\(odd)/run", steps: steps),
            environment: ["LATHE_ODD": odd], timeout: patience)
        }
      }
      let first = try launch("local", ["--continue"], steps: 2)
      #expect(first.status == 0, "\(first)")
      let second = try launch("cluster", ["--hosts", "\(odd)/hosts", "--continue"], steps: 4)
      #expect(second.status == 0 && second.output.contains("resumed after step 2"), "\(second)")
      let agent = try launch("cluster", ["--hosts", "hosts", "--rsh", "x\n--version"], steps: 4)
      #expect(!agent.output.contains("Open MPI) "), "\(agent)")
      let left = try FileManager.default.contentsOfDirectory(atPath: odd).sorted()
      #expect(left == ["hosts", "launch", "run"])
    }
  }

  /// Without the package procps there is no pgrep.
  @Test func processesAreFoundWithoutPgrep() throws {
    try withFolder { folder in
      let text = """
        for file in /usr/bin/* /bin/*; do ln -sf "$file" '\(folder)'; done
        rm '\(folder)/pgrep'
        PATH='\(folder)' LATHE_LISTEN= exec '\(repository)/launch/local' -- sleep 5
        """
      let result = try oneJobAtATime {
        try runProcess("bash", ["-c", text], timeout: patience)
      }
      #expect(result.status == 0 && result.errorOutput == "", "\(result)")
    }
  }

  /// The MPI library to build with: named, or described by an mpicc.
  @Test func anMPIIsFoundByNameOrByItsCompiler() throws {
    try withFolder { folder in
      let compiler = "\(folder)/my mpicc"
      try Data("#!/bin/sh\necho gcc -O2 -I/x/a -pthread -L/x/b -Wl,-rpath -Wl,/x/b -lmpich\n".utf8)
        .write(to: URL(fileURLWithPath: compiler))
      chmod(compiler, 0o755)
      func find(_ choice: String?) throws -> ProcessResult {
        try runProcess(
          "\(repository)/launch/mpi",
          environment: ["LATHE_MPI": choice, "XDG_CACHE_HOME": "\(folder)/cache"], timeout: patience
        )
      }
      #expect(try find("mpich").output == "mpich\n")
      let file = try find(compiler).output.trimmingCharacters(in: .newlines)
      let text = try String(contentsOfFile: file, encoding: .utf8)
      #expect(text.contains("Cflags: -I/x/a\nLibs: -L/x/b -lmpich\n"), "\(text)")
      let wrong = try find("/bin/true")
      #expect(wrong.status == 69 && wrong.errorOutput.contains("names no library"), "\(wrong)")
      #expect(try find(nil).status == 0)
    }
  }

  /// What a build lacks is named with its packages, and installed only if that is allowed.
  @Test func whatABuildLacksIsNamed() throws {
    try withFolder { folder in
      let text = """
        for file in /usr/bin/* /bin/*; do ln -sf "$file" '\(folder)'; done
        rm '\(folder)'/mpirun '\(folder)'/pkg-config '\(folder)'/{apt-get,dnf,zypper} || true
        printf '#!/bin/sh\\necho "dnf $*"\\n' >'\(folder)/dnf'
        chmod +x '\(folder)/dnf'
        source '\(repository)/launch/common.sh'
        PATH='\(folder)'
        (LATHE_NO_INSTALL=1 install_packages) || echo "status $?"
        install_packages
        """
      let result = try runProcess("bash", ["-c", text], timeout: patience)
      let lines = result.output.split(separator: "\n")
      #expect(result.status == 1 && lines.first == "status 1", "\(result)")
      #expect(result.errorOutput.contains("a build needs pkg-config, MPI, mpirun, OpenBLAS, "))
      #expect(
        result.errorOutput.contains("conda install -c conda-forge pkg-config openmpi openblas"))
      guard geteuid() == 0 else { return }
      #expect(result.output.contains("dnf install -y -q pkgconf-pkg-config openmpi-devel openmpi "))
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
        ["-n", "2,1", "--restarts", "2", "--"]
          + train("\(folder)/run", steps: 6, program: "FaultyLathe"),
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

  @Test(arguments: [
    "same", "numbering", "room", "resume", "packing", "ship", "evaluation", "bytes", "wire",
    "ports", "overlap", "rank", "host", "link", "daemon",
  ])
  func severalHosts(_ check: String) throws {
    guard let result = try script("Tests/hosts", [check]) else { return }
    #expect(result.status == 0, "\(result)")
  }

  @Test func underSlurm() throws {
    guard let result = try script("Tests/slurm") else { return }
    #expect(result.status == 0, "\(result)")
  }
}
