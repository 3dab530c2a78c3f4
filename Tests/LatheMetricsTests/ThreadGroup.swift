import Foundation
import LatheMetrics
import Synchronization

/// Ranks that are threads of this process.
final class ThreadGroup: Sendable {
  private struct Round {
    var sums: [[Double]?], bytes: [[UInt8]?]
    var number = 0
    var arrived = 0
    var total: [Double] = []
    var joined: [UInt8] = []
  }

  private let count: Int
  private let round: Mutex<Round>

  private init(_ count: Int) {
    self.count = count
    round = Mutex(
      Round(
        sums: Array(repeating: nil, count: count), bytes: Array(repeating: nil, count: count)))
  }

  /// Runs `body` for each rank on a thread of its own; the results in the order of ranks.
  static func run<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int, ThreadRank) throws -> Result
  ) throws -> [Result] {
    let group = ThreadGroup(count)
    let results = Results<Result>(count)
    let threads = (0..<count).map { rank in
      let thread = Thread {
        results.set(rank, Swift.Result { try body(rank, ThreadRank(rank: rank, group: group)) })
      }
      thread.stackSize = 8 << 20
      thread.start()
      return thread
    }
    while threads.contains(where: { !$0.isFinished }) { usleep(200) }
    return try results.all.map { try $0.get() }
  }

  /// Waits for the contributions of all ranks.
  func exchange(_ rank: Int, _ sum: [Double]?, _ part: [UInt8]?) -> ([Double], [UInt8]) {
    let mine = round.withLock { round in
      (round.sums[rank], round.bytes[rank]) = (sum, part)
      round.arrived += 1
      let number = round.number
      if round.arrived == count {
        round.total = (round.sums[0] ?? []).indices.map { i in
          round.sums.reduce(0) { $0 + ($1?[i] ?? 0) }
        }
        round.joined = round.bytes.flatMap { $0 ?? [] }
        round.arrived = 0
        round.number += 1
      }
      return number
    }
    while round.withLock({ $0.number == mine }) { usleep(50) }
    return round.withLock { ($0.total, $0.joined) }
  }
}

/// One of the ranks.
struct ThreadRank: Gathering, Sendable {
  let rank: Int
  let group: ThreadGroup

  func sum(_ values: [Double]) -> [Double] { group.exchange(rank, values, nil).0 }
  func concatenate(_ bytes: [UInt8]) -> [UInt8] { group.exchange(rank, nil, bytes).1 }
}

private final class Results<Value: Sendable>: Sendable {
  private let values: Mutex<[Swift.Result<Value, any Error>?]>

  init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

  func set(_ index: Int, _ value: Swift.Result<Value, any Error>) {
    values.withLock { $0[index] = value }
  }

  var all: [Swift.Result<Value, any Error>] { values.withLock { $0.compactMap { $0 } } }
}
