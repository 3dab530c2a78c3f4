import TestSupport
import Testing

/// Synchronized batch statistics; the check itself is in DistributedChecks.
@Suite struct SynchronizedStatisticsTests {
  /// Loss terms, gradients and running statistics within 1e-5 of a single slice of the global
  /// batch, which slices on their own are not; and the same bits whoever computes a slice.
  @Test func synchronizedSlicesAreOneBatch() throws {
    func lastLine(_ ranks: Int) throws -> String {
      let output = try mpirun(ranks, "DistributedChecks", "synchronized-statistics", timeout: 120)
        .output
      return String(output.split(separator: "\n").last ?? "")
    }
    let alone = try lastLine(1)
    #expect(alone.hasPrefix("hash "))
    #expect(try lastLine(2) == alone)
    #expect(try lastLine(4) == alone)
  }
}
