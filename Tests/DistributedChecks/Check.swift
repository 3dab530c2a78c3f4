import LatheDistributed
import Glibc

/// What a check found, against what it expected.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String
}

/// Throws unless the two are equal.
func expectEqual<T: Equatable>(_ found: T, _ expected: T, _ what: String) throws {
  guard found == expected else {
    throw CheckFailure(description: "\(what): expected \(expected), found \(found)")
  }
}

/// Throws unless `body` throws; returns the error.
func expectError(_ what: String, _ body: () throws -> Void) throws -> any Error {
  do { try body() } catch { return error }
  throw CheckFailure(description: "\(what): expected an error, found none")
}

/// Prints on rank 0 alone.
func report(_ text: String, _ communicator: Communicator) {
  if communicator.rank == 0 { print(text) }
}

/// Runs one subcommand on every rank.
func run(_ arguments: [String], _ session: MPISession) throws {
  let world = session.world
  switch arguments.first {
  case "session": try sessionCheck(session)
  case "broadcast": try broadcastCheck(world)
  case "root-error": try rootErrorCheck(world)
  case "gather": try gatherCheck(world)
  case "reduce": try reduceCheck(world)
  case "host": try hostCheck(world)
  case "attributes": try attributeCheck(world)
  case "tree": try treeCheck(world, try TreeArguments(arguments.dropFirst()))
  case "tree-races": try treeRacesCheck(world, try TreeArguments(arguments.dropFirst()))
  case "tree-ranges": try treeRangesCheck(world, try TreeArguments(arguments.dropFirst()))
  case "tree-shards": try treeShardsCheck(world, try TreeArguments(arguments.dropFirst()))
  case "tree-wire": try treeWireCheck(world, try TreeArguments(arguments.dropFirst()))
  case "tree-refusals": try treeRefusalsCheck(world)
  case "tree-room": try treeRoomCheck(world)
  case "tree-fallback": try treeFallbackCheck(world)
  case "synchronized-statistics": try synchronizedStatisticsCheck(world)
  case "updates": try updatesCheck(world)
  case "invalid-root": try invalidRootCheck(world)
  case "wrong": try expectEqual(world.rank, 0, "rank")
  case "abort": try abortCheck(session)
  case "vanish": try vanishCheck(world)
  case "long-broadcast": try longBroadcastCheck(world)
  case "bench":
    let numbers = arguments.dropFirst().compactMap { Int($0) }
    try bench(
      world, floats: numbers.first ?? 17_000_000, rounds: numbers.dropFirst().first ?? 21,
      isAlone: arguments.last == "alone")
  case "overlap-bench":
    let numbers = arguments.dropFirst().compactMap { Int($0) }
    try overlapBench(
      world, floats: numbers.first ?? 17_000_000, backward: numbers.dropFirst().first ?? 80,
      steps: numbers.dropFirst(2).first ?? 5)
  default: throw CheckFailure(description: "no such check")
  }
}
