// What must be seen on several ranks: each subcommand is one check, run under mpirun by
// DistributedTests. A check that fails ends the job with status 1 and says which rank found what.

import LatheDistributed
import Glibc

// Before MPI starts: a rank that is killed within MPI leaves its queues in /dev/shm.
if CommandLine.arguments.dropFirst().first == "hang" { sleep(600) }

do throws(MPIError) {
  let session = try startSession()
  let arguments = Array(CommandLine.arguments.dropFirst())
  do {
    try run(arguments, session)
  } catch {
    end(session, "\(arguments.joined(separator: " ")): \(error)", status: 1)
  }
  try session.finish()
} catch {
  print("refused: \(error)")
  exit(69)
}
