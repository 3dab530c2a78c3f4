import TestSupport
import Testing

/// The checks themselves are in DistributedChecks and compare with closed forms.
@Suite struct CommunicatorTests {
  static let worlds = [1, 2, 3, 4]

  @Test(arguments: worlds) func broadcast(ranks: Int) throws {
    try mpirun(ranks, "DistributedChecks", "broadcast", timeout: 60)
  }

  @Test(arguments: worlds) func errorOfTheRootReachesAll(ranks: Int) throws {
    try mpirun(ranks, "DistributedChecks", "root-error", timeout: 60)
  }

  @Test(arguments: worlds) func gather(ranks: Int) throws {
    try mpirun(ranks, "DistributedChecks", "gather", timeout: 60)
  }

  @Test(arguments: worlds) func reduce(ranks: Int) throws {
    try mpirun(ranks, "DistributedChecks", "reduce", timeout: 60)
  }

  @Test(arguments: worlds) func host(ranks: Int) throws {
    try mpirun(ranks, "DistributedChecks", "host", timeout: 60)
  }

  /// A check that fails on one rank fails the run, and says where and what.
  @Test func aFailingCheckIsSeen() throws {
    let error = #expect(throws: ProcessError.self) {
      try mpirun(2, "DistributedChecks", "wrong", timeout: 60)
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("exit status 1\n"))
    #expect(text.contains("wrong: rank: expected 0, found 1"))
  }
}
