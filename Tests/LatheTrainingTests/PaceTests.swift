import Foundation
import Testing

import LatheTraining

/// How much of a task fits into a time.
@Suite struct PaceTests {
  /// Counts that a task of so many seconds an item was run on, within `seconds`.
  private func counts(
    _ total: Int, _ seconds: [Double?], each: Double = 1e-5
  ) throws -> [[Int]] {
    var pace = Pace(first: 100) { $0 }
    return try seconds.map { seconds in
      var counts: [Int] = []
      let last = try pace.run(upTo: total, until: seconds.map { .now + .seconds($0) }) { count in
        counts.append(count)
        Thread.sleep(forTimeInterval: Double(count) * each)
        return count
      }
      #expect(last == counts.last)
      return counts
    }
  }

  @Test func allWithoutALimit() throws {
    #expect(try counts(3_000, [nil]) == [[3_000]])
  }

  @Test func allWhereItIsFew() throws {
    #expect(try counts(60, [100, 100]) == [[60], [60]])
  }

  /// Tried with few, then as many as fit; the next time without trying.
  @Test func asManyAsFit() throws {
    #expect(try counts(3_000, [100, 100]) == [[100, 3_000], [3_000]])
    #expect(try counts(1_000_000, [1.5, 1.5], each: 1e-3) == [[100, 500], [500]])
  }

  /// Never fewer than the first time, however short the time is.
  @Test func atLeastTheFirst() throws {
    #expect(try counts(3_000, [0, 0, nil, 0]) == [[100], [100], [3_000], [100]])
  }

  /// What rank 0 chose is what the others do.
  @Test func agrees() throws {
    var pace = Pace(first: 100) { _ in 700 }
    #expect(try pace.run(upTo: 3_000, until: .now + .seconds(9)) { $0 } == 700)
  }
}
