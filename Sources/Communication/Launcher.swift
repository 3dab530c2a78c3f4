import Glibc

/// A rank's place in its job as the program that started it says, known before MPI starts.
///
/// Concretely, the first complete pair of environment variables, from the most specific to the least:
/// Open MPI's `mpirun`, a PMI launcher (MPICH's and Intel's `mpiexec`), a Slurm job step. `PMIX_RANK` comes
/// without a size and is completed by Slurm's. A Slurm batch script is not a step, so its variables do not count.
public func launcherPlace(in variable: (String) -> String?) -> (rank: Int, size: Int)? {
  let pairs = [
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"),
    ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
  ]
  for (rankName, sizeName) in pairs {
    guard let size = variable(sizeName).flatMap({ Int($0) }), size > 0 else { continue }
    let rank = variable(rankName).flatMap { Int($0) } ?? 0
    if (0..<size).contains(rank) { return (rank, size) }
  }
  return nil
}

/// A variable of this process's environment.
func environmentVariable(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}
