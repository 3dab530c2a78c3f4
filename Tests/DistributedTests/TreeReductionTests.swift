import LatheDistributed
import TestSupport
import Testing

/// The checks themselves are in DistributedChecks; each compares every bit with the tree by its
/// definition.
@Suite struct TreeReductionTests {
  private static let transports = ["sharedMemory", "messages"]

  private func hash(_ ranks: Int, slices: Int, count: Int, _ transport: String) throws -> String {
    try mpirun(
      ranks, "DistributedChecks", "tree", "\(slices)", "\(count)", transport, timeout: 60
    ).output
  }

  @Test(arguments: [(12, [2, 3, 4, 6]), (4, [2, 4]), (6, [3])])
  func sameBitsOnAnyNumberOfRanks(slices: Int, ranks: [Int]) throws {
    let alone = try hash(1, slices: slices, count: 100_003, "local")
    #expect(alone.hasPrefix("hash "))
    for ranks in ranks {
      for transport in Self.transports {
        let found = try hash(ranks, slices: slices, count: 100_003, transport)
        #expect(found == alone, "\(slices) slices, \(ranks) ranks, \(transport)")
      }
    }
  }

  @Test(arguments: transports) func fiveMillionFloats(transport: String) throws {
    let alone = try hash(1, slices: 4, count: 5_000_000, "local")
    for ranks in [2, 4] {
      #expect(try hash(ranks, slices: 4, count: 5_000_000, transport) == alone, "\(ranks) ranks")
    }
  }

  /// Fewer floats than ranks, a float more than a page, ranks that are no power of two.
  @Test(arguments: transports) func oddSizes(transport: String) throws {
    for (ranks, slices, count) in [(4, 4, 1), (3, 3, 40), (2, 6, 1025), (5, 5, 70_001)] {
      let alone = try hash(1, slices: slices, count: count, "local")
      let found = try hash(ranks, slices: slices, count: count, transport)
      #expect(found == alone, "\(ranks) ranks, \(count) floats")
    }
  }

  @Test(arguments: [1, 2, 4]) func rangesLeaveTheRestUntouched(ranks: Int) throws {
    for transport in Self.transports {
      try mpirun(ranks, "DistributedChecks", "tree-ranges", "8", "5000", transport, timeout: 60)
    }
  }

  @Test(arguments: [1, 2, 3, 4]) func partsAreTakenOnce(ranks: Int) throws {
    for transport in Self.transports {
      try mpirun(ranks, "DistributedChecks", "tree-shards", "12", "9001", transport, timeout: 60)
    }
  }

  /// The host of each rank: aligned blocks, blocks that are not, unequal numbers of ranks, hosts
  /// in turns, a host without room.
  private static let layouts = [
    "0,1", "0,0,1,1", "0,1,1,2", "0,0,0,1", "0,1,0,1", "0,0,1", "0,0,1,1/1", "0,0,1,1/0",
  ]

  private static func ranks(_ layout: String) -> Int { layout.split(separator: ",").count }

  @Test(arguments: layouts) func hostsGiveTheSameBits(layout: String) throws {
    let alone = try hash(1, slices: 12, count: 300_007, "local")
    #expect(try hash(Self.ranks(layout), slices: 12, count: 300_007, layout) == alone)
  }

  @Test(arguments: ["tree-ranges", "tree-shards", "tree-races"])
  func hostsKeepTheRules(check: String) throws {
    for layout in ["0,0,1,1", "0,1,1,2", "0,0,1,1/1"] {
      try mpirun(
        Self.ranks(layout), "DistributedChecks", check, "12", "9001", layout, timeout: 60)
    }
  }

  @Test(arguments: ["0,1", "0,0,1,1", "0,1,2,3"]) func aWireThatRounds(layout: String) throws {
    try mpirun(
      Self.ranks(layout), "DistributedChecks", "tree-wire", "8", "100003", layout, timeout: 60)
  }

  /// Several sums left on each of 2 and 4 ranks; without either barrier of the window this fails
  /// within rounds.
  @Test(arguments: [1, 2, 4]) func roundsDoNotMix(ranks: Int) throws {
    for transport in Self.transports {
      try mpirun(ranks, "DistributedChecks", "tree-races", "12", "6000", transport, timeout: 60)
    }
  }

  @Test(arguments: [2, 4]) func roundsDoNotMixWithOneSumLeft(ranks: Int) throws {
    for transport in Self.transports {
      try mpirun(ranks, "DistributedChecks", "tree-races", "4", "60000", transport, timeout: 60)
    }
  }

  @Test(arguments: [1, 2, 3]) func whatCannotBeIsRefused(ranks: Int) throws {
    try mpirun(ranks, "DistributedChecks", "tree-refusals", timeout: 60)
  }

  @Test func withoutRoomThereIsNoWindow() throws {
    try mpirun(2, "DistributedChecks", "tree-room", timeout: 60)
  }

  /// Without room the automatic choice is messages, with the reason.
  @Test func withoutRoomThereAreMessages() throws {
    let output = try mpirun(2, "DistributedChecks", "tree-fallback", timeout: 60).output
    #expect(output == "messages: room for 0 MB in /dev/shm, 8 MB needed\n")
  }
}
