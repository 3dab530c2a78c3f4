/// A rank's place in its job as the program that started it says, known before MPI starts.
///
/// Concretely, the first size that the environment names, from the most specific launcher to the
/// least, with the rank beside it (0 when there is none): Open MPI's `mpirun`, a PMI launcher
/// (MPICH's and Intel's `mpiexec`), a Slurm job step. `PMIX_RANK` comes without a size and is
/// completed by Slurm's. A Slurm batch script is not a step, so its variables do not count.
public func launcherPlace(in variable: (String) -> String?) -> (rank: Int, size: Int)? {
  let places = [
    (ranks: ["OMPI_COMM_WORLD_RANK"], size: "OMPI_COMM_WORLD_SIZE"),
    (ranks: ["PMI_RANK"], size: "PMI_SIZE"),
    (ranks: ["PMIX_RANK", "SLURM_PROCID"], size: "SLURM_STEP_NUM_TASKS"),
  ]
  for place in places {
    guard let size = variable(place.size).flatMap({ Int($0) }) else { continue }
    let rank = place.ranks.lazy.compactMap(variable).compactMap { Int($0) }.first ?? 0
    if rank >= 0 && rank < size { return (rank, size) }
  }
  return nil
}
