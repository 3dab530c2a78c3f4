/// Chooses how many items of a task fit into a time, by what an item took the last time.
///
/// Rank 0 chooses for all ranks. The counts lie far apart, so that runs of about the same speed
/// choose alike.
package struct Pace {
  private static let counts = [100, 500, 2_000, 10_000, 50_000]
  /// The items that the task is tried with the first time.
  private let first: Int
  /// Gives rank 0's choice to all ranks. Collective.
  private let agree: (Int) throws -> Int
  private var secondsPerItem: Double?

  package init(first: Int, agreeing agree: @escaping (Int) throws -> Int) {
    (self.first, self.agree) = (first, agree)
  }

  /// Runs the task on as many of `total` items as it can do until `end`, on all without one; never
  /// on fewer than the first time. Collective.
  package mutating func run<Value>(
    upTo total: Int, until end: ContinuousClock.Instant?, _ task: (Int) throws -> Value
  ) throws -> Value {
    guard let end else { return try measured(total, task) }
    if secondsPerItem == nil {
      let value = try measured(min(first, total), task)
      let count = try count(upTo: total, until: end)
      return count <= first ? value : try measured(count, task)
    }
    return try measured(count(upTo: total, until: end), task)
  }

  private mutating func measured<Value>(_ count: Int, _ task: (Int) throws -> Value) throws -> Value
  {
    let start = ContinuousClock.now
    let value = try task(count)
    secondsPerItem = (ContinuousClock.now - start).seconds / Double(max(count, 1))
    return value
  }

  /// Seconds that a run on as many of `total` items as fit into `seconds`, or on all, will take by
  /// what an item has taken; 0 before the first run.
  func forecast(upTo total: Int, within seconds: Double?) -> Double {
    let count = seconds.map { self.count(upTo: total, within: $0) } ?? total
    return Double(count) * (secondsPerItem ?? 0)
  }

  private func count(upTo total: Int, until end: ContinuousClock.Instant) throws -> Int {
    try agree(count(upTo: total, within: (end - ContinuousClock.now).seconds))
  }

  private func count(upTo total: Int, within seconds: Double) -> Int {
    let fitting = seconds / (secondsPerItem ?? .infinity)
    if Double(total) <= fitting { return total }
    let fit = Pace.counts.last { Double($0) <= fitting && $0 <= total } ?? first
    return min(max(fit, first), total)
  }
}
