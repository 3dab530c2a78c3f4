import LatheDistributed
import Foundation

/// Runs a command's part under MPI: `body` on every rank, then the end of MPI.
///
/// An error on one rank ends all of them, and is told once.
func underMPI(_ body: (MPISession) throws -> Void) throws {
  let session: MPISession
  do { session = try MPISession.start() } catch {
    throw CommandFailure(description: "\(error)", status: 70)
  }
  do {
    try body(session)
    try session.finish()
  } catch {
    if session.world.size == 1 { throw error }
    if session.world.rank > 0 { Thread.sleep(forTimeInterval: 1) }
    session.abort("\(error)", status: exitStatus(for: error))
  }
}
