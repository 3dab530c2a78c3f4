import LatheDistributed
import TestSupport
import Testing

@Suite struct MPISessionTests {
  /// No variable of any launcher, whatever started the tests.
  private static let noLauncher: [String: String?] = [
    "OMPI_COMM_WORLD_RANK": nil, "OMPI_COMM_WORLD_SIZE": nil, "PMI_RANK": nil, "PMI_SIZE": nil,
    "PMIX_RANK": nil, "SLURM_PROCID": nil, "SLURM_STEP_NUM_TASKS": nil,
  ]

  @Test(arguments: [1, 2, 4]) func underALauncher(ranks: Int) throws {
    let output = try mpirun(ranks, "DistributedChecks", "session", timeout: 60).output
    #expect(output == "size \(ranks), launcher true\n")
  }

  @Test func aloneWithoutALauncher() throws {
    let result = try runProcess(
      builtExecutable("DistributedChecks"), ["session"], environment: Self.noLauncher, timeout: 60)
    #expect(result.status == 0, "\(result)")
    #expect(result.output == "size 1, launcher false\n")
  }

  /// A lone process, and ranks of one host, listen on no port.
  @Test(arguments: [0, 2]) func noPortIsOpened(ranks: Int) throws {
    try withFolder { folder in
      let lathe = try builtExecutable("lathe")
      let prefix = ranks == 0 ? "" : mpirunCommand(ranks) + " "
      let script = """
        \(prefix)'\(lathe)' train vae synthetic --steps 1000000 --batch 16 --out '\(folder)/run' \
          --set latentSize=4 --set hiddenSize=16 --preview-every 0 --log-every 1 >/dev/null 2>&1 &
        until grep -qs '"step":3[,}]' '\(folder)/run/metrics.jsonl'; do sleep 0.1; done
        for rank in $(pgrep -f '^\(lathe) train .*[-]-out \(folder)'); do
          sockets=$(readlink /proc/$rank/fd/* | sed -n 's/^socket:.\\(.*\\)]$/\\1/p' | tr '\\n' ' ')
          awk -v list="$sockets" 'BEGIN { split(list, own); for (i in own) mine[own[i]] }
            $4 == "0A" && ($10 in mine) { count++ }
            END { print "listening on", count + 0 }' /proc/net/tcp /proc/net/tcp6
        done
        kill -USR1 $!
        wait
        """
      let variables = Self.noLauncher.merging([
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      ]) { $1 }
      let result = try oneJobAtATime {
        try runProcess("bash", ["-c", script], environment: variables, timeout: 120)
      }
      // MPICH's ranks inherit mpirun's own socket.
      let inherited = ranks > 0 && launcher.kind == "hydra" ? 1 : 0
      let expected = String(repeating: "listening on \(inherited)\n", count: max(ranks, 1))
      #expect(result.output == expected, "\(result)")
    }
  }

  @Test func anotherLibrarysLauncherIsRefused() throws {
    for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] {
      let result = try runProcess(
        builtExecutable("DistributedChecks"), ["session"],
        environment: Self.noLauncher.merging([name: "2"]) { $1 }, timeout: 60)
      #expect(result.status == 69, "\(name): \(result)")
      #expect(
        result.output.contains("the launcher started 2 ranks, this one as rank 0, but MPI sees 1"))
    }
  }

  @Test func launcherVariables() {
    func place(_ variables: [String: String]) -> [Int]? {
      launcherPlace { variables[$0] }.map { [$0.rank, $0.size] }
    }
    #expect(place([:]) == nil)
    #expect(place(["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"]) == [1, 4])
    #expect(place(["PMI_RANK": "3", "PMI_SIZE": "4"]) == [3, 4])
    #expect(place(["PMIX_RANK": "2", "SLURM_STEP_NUM_TASKS": "8"]) == [2, 8])
    #expect(place(["SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8"]) == [5, 8])
    // A batch script has tasks, but is not a step of them.
    #expect(place(["SLURM_PROCID": "0", "SLURM_NTASKS": "8"]) == nil)
    // mpirun inside a Slurm step: its own variables count.
    let both = [
      "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "SLURM_STEP_NUM_TASKS": "1",
    ]
    #expect(place(both) == [1, 2])
    #expect(place(["OMPI_COMM_WORLD_RANK": "x", "OMPI_COMM_WORLD_SIZE": "y"]) == nil)
    #expect(place(["PMI_RANK": "4", "PMI_SIZE": "4"]) == nil)
  }

  @Test(arguments: [1, 2, 4]) func abortEndsAllRanks(ranks: Int) throws {
    let result = try mpirunResult(ranks, "DistributedChecks", ["abort"], timeout: 30)
    #expect(result.status == 66, "\(result)")
    #expect(result.seconds < 10)
    #expect(result.errorOutput.contains("rank \(ranks - 1) on "))
    #expect(result.errorOutput.contains(": no data for me\n"))
  }

  @Test func aRankThatIsKilledEndsTheOthers() throws {
    let result = try mpirunResult(3, "DistributedChecks", ["vanish"], timeout: 30)
    #expect(result.status == 128 + 9, "\(result)")
    #expect(result.seconds < 10)
  }

  @Test func errorsNameRoutineAndCode() {
    let error = MPIError(routine: "MPI_Bcast", text: "count 3000000000 is beyond 2147483647")
    #expect("\(error)" == "MPI_Bcast: count 3000000000 is beyond 2147483647")
    #expect(error.code == nil)
  }

  /// MPI's own text and code: a broadcast from a rank that does not exist comes back as an error.
  @Test(arguments: [1, 2]) func errorsOfMPIComeBack(ranks: Int) throws {
    let output = try mpirun(ranks, "DistributedChecks", "invalid-root", timeout: 60).output
    #expect(output.contains(/MPI_Bcast: (MPI_ERR_ROOT|Invalid root)/))
  }
}
