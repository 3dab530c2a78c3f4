import Foundation
import LatheDistributed

/// What the launcher says of this process.
private var launcher: (rank: Int, size: Int)? {
  launcherPlace { ProcessInfo.processInfo.environment[$0] }
}

func startSession() throws(MPIError) -> MPISession { try MPISession.start(under: launcher) }

/// Says which rank found what, and ends the job.
func end(_ session: MPISession, _ message: String, status: Int32) -> Never {
  let world = session.world
  FileHandle.standardError.write(
    Data("rank \(world.rank) on \(world.host): \(message)\n".utf8))
  session.abortJob(status: status)
  exit(status)
}

/// Rank, size, host, version, and that a second start is the same session.
func sessionCheck(_ session: MPISession) throws {
  let again = try startSession()
  try expectEqual(again === session, true, "second start is the first session")
  try expectEqual(MPISession.libraryVersion.isEmpty, false, "library version empty")
  try expectEqual(MPISession.libraryVersion.contains("\n"), false, "library version has lines")
  if let launcher {
    try expectEqual(launcher.rank, session.world.rank, "rank by the launcher and by MPI")
    try expectEqual(launcher.size, session.world.size, "size by the launcher and by MPI")
  } else {
    try expectEqual(session.world.size, 1, "size without a launcher")
  }
  let hosts = try session.world.allGather(Array(session.world.host.utf8))
  try expectEqual(Set(hosts).count, 1, "hosts")
  report("size \(session.world.size), launcher \(launcher != nil)", session.world)
}

/// Bytes and floats from every root, empty ones and in small pieces included.
func broadcastCheck(_ world: Communicator) throws {
  for root in 0..<world.size {
    for length in [0, 1, 999] {
      let expected = (0..<length).map { UInt8(($0 + 7 * root) % 251) }
      let mine = world.rank == root ? expected : [1, 2, 3]
      try expectEqual(try world.broadcast(mine, from: root), expected, "bytes from \(root)")
      let pieces = try world.broadcast(mine, from: root, pieceBytes: 10)
      try expectEqual(pieces, expected, "pieces from \(root)")
    }
    var floats = [Float](repeating: Float(world.rank), count: 1000)
    try floats.withUnsafeMutableBufferPointer { try world.broadcast($0, from: root) }
    try expectEqual(floats, [Float](repeating: Float(root), count: 1000), "floats from \(root)")
  }
}

/// A body runs on the root alone; its value or its error reaches every rank, and work goes on
/// afterwards.
func rootErrorCheck(_ world: Communicator) throws {
  let root = world.size - 1
  var runs = 0.0
  let bytes = try world.broadcast(from: root) {
    runs += 1
    return [UInt8(world.rank), 42]
  }
  try expectEqual(bytes, [UInt8(root), 42], "bytes of the body")
  try expectEqual(try world.allReduce([runs], .sum), [1], "runs of the body")
  let error = try expectError("body that throws") {
    _ = try world.broadcast(from: root) {
      throw CheckFailure(description: "no file in \(world.rank)")
    }
  }
  try expectEqual("\(error)", "no file in \(root)", "description")
  let underlying = (error as? RootError)?.underlying
  try expectEqual(
    underlying is CheckFailure, world.rank == root, "underlying error on the root alone")
  try world.barrier()
}

/// Rank r's 3r bytes: uneven, and none on rank 0.
func gatherCheck(_ world: Communicator) throws {
  func bytes(_ rank: Int) -> [UInt8] { [UInt8](repeating: UInt8(rank), count: 3 * rank) }
  let expected = (0..<world.size).map(bytes)
  try expectEqual(try world.allGather(bytes(world.rank)), expected, "allGather")
  try gatherFloats(world)
  for root in 0..<world.size {
    let gathered = try world.gather(bytes(world.rank), at: root)
    try expectEqual(gathered, world.rank == root ? expected : nil, "gather at \(root)")
  }
}

/// Rank r contributes r and −r.
private func gatherFloats(_ world: Communicator) throws {
  let (n, r) = (world.size, Float(world.rank))
  var all = [Float](repeating: .nan, count: 2 * n)
  try [r, -r].withUnsafeBufferPointer { own in
    try all.withUnsafeMutableBufferPointer { try world.allGather(own, into: $0) }
    _ = try expectError("too little room") {
      try all.withUnsafeMutableBufferPointer {
        try world.allGather(own, into: .init(rebasing: $0.dropLast()))
      }
    }
  }
  try expectEqual(all, (0..<n).flatMap { [Float($0), -Float($0)] }, "floats")
}

/// Rank r contributes r: sum n(n−1)/2, minimum 0, maximum n−1; flag r of each rank.
func reduceCheck(_ world: Communicator) throws {
  let (n, r) = (Double(world.size), Double(world.rank))
  try expectEqual(try world.allReduce([r, 1], .sum), [n * (n - 1) / 2, n], "sum")
  try expectEqual(try world.allReduce([r, -r], .minimum), [0, 1 - n], "minimum")
  try expectEqual(try world.allReduce([r, -r], .maximum), [n - 1, 0], "maximum")
  try expectEqual(try world.allReduce([], .sum), [], "sum of nothing")
  let flags = try world.allReduceFlags(or: 1 << UInt32(world.rank))
  try expectEqual(flags, (1 << UInt32(world.size)) - 1, "flags")
  try expectEqual(try world.allAgree(world.rank >= 0), true, "agreement")
  try expectEqual(try world.allAgree(world.rank != world.size - 1), false, "one that disagrees")
}

/// One host holds all ranks here.
func hostCheck(_ world: Communicator) throws {
  let host = try world.hostCommunicator()
  try expectEqual([host.rank, host.size], [world.rank, world.size], "host communicator")
  try expectEqual(try host.allReduce([1], .sum), [Double(world.size)], "sum on the host")
  try host.free()
}

/// A root that does not exist: MPI's error comes back, and does not end the job.
func invalidRootCheck(_ world: Communicator) throws {
  let error = try expectError("root \(world.size)") {
    _ = try world.broadcast([1], from: world.size)
  }
  try expectEqual((error as? MPIError)?.code != nil, true, "MPI's code in: \(error)")
  report("\(error)", world)
  try world.barrier()
}

/// The last rank aborts while the others wait in a barrier that never ends.
func abortCheck(_ session: MPISession) throws {
  if session.world.rank == session.world.size - 1 {
    end(session, "no data for me", status: 66)
  }
  try session.world.barrier()
  throw CheckFailure(description: "came out of a barrier that one rank never entered")
}

/// The last rank is killed; the others must not wait for ever.
func vanishCheck(_ world: Communicator) throws {
  if world.rank == world.size - 1 { kill(getpid(), SIGKILL) }
  try world.barrier()
}

/// More bytes than a C int counts. Not part of the tests: it needs 2.5 GB on each rank.
func longBroadcastCheck(_ world: Communicator) throws {
  let count = 2_500_000_000
  var bytes = [UInt8](repeating: 0, count: world.rank == 0 ? count : 0)
  if world.rank == 0 { for i in stride(from: 0, to: count, by: 4099) { bytes[i] = UInt8(i % 251) } }
  let all = try world.broadcast(bytes, from: 0)
  try expectEqual(all.count, count, "length")
  for i in stride(from: 0, to: count, by: 4099) where all[i] != UInt8(i % 251) {
    throw CheckFailure(description: "byte \(i): expected \(i % 251), found \(all[i])")
  }
  report("\(count) bytes", world)
}
