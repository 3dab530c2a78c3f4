import TestSupport
import Testing

/// What a run adds to its phases' updates; the check itself is in DistributedChecks.
@Suite struct UpdateTests {
  /// Closed forms, and the same bits on any number of ranks, with overlap and without.
  @Test func optionsInClosedForm() throws {
    let hashes = try [1, 2, 4].map { ranks in
      let output = try mpirun(ranks, "DistributedChecks", "updates", timeout: 120).output
      return String(output.split(separator: "\n").last ?? "")
    }
    #expect(hashes[0].hasPrefix("hash "))
    #expect(Set(hashes).count == 1, "\(hashes)")
  }
}
