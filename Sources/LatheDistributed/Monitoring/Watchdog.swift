import Foundation
import Synchronization

/// Notices that a job makes no progress, and reports which rank holds it up.
///
/// A thread of each rank reads what the ranks of its host have posted. When none of them has
/// posted anything for so long, each rank is told once, the first to notice with the report of
/// which ranks arrived at the collective, and which did not. Time in which the whole job was
/// suspended does not count.
public final class Watchdog: Sendable {
  private let board: RankBoard
  private let hosts: [String]
  private let timeout: Double
  private let stalled: @Sendable (_ report: String?) -> Void
  private let isStopped = Mutex(false)

  /// `hosts` are the names of all ranks' hosts; `timeout` is in seconds, above 0.
  ///
  /// `stalled` is called at most once, on the watching thread, and is expected to end the process;
  /// `report` is nil where another rank of the host speaks.
  public init(
    _ board: RankBoard, hosts: [String], timeout: Double,
    stalled: @escaping @Sendable (_ report: String?) -> Void
  ) {
    self.board = board
    self.hosts = hosts
    self.timeout = timeout
    self.stalled = stalled
    Thread.detachNewThread { self.watch() }
  }

  /// Ends the watch; afterwards the board may be freed.
  public func stop() { isStopped.withLock { $0 = true } }

  private func watch() {
    let interval = min(1, timeout / 8)
    var last = board.entries
    var quiet = [Double](repeating: 0, count: last.count)
    var time = ContinuousClock.now
    while true {
      Thread.sleep(forTimeInterval: interval)
      let elapsed = min((ContinuousClock.now - time).seconds, 2 * interval)
      time = .now
      guard let entries = entriesUnlessStopped() else { return }
      for place in entries.indices {
        quiet[place] = entries[place] == last[place] ? quiet[place] + elapsed : 0
      }
      last = entries
      guard quiet.allSatisfy({ $0 >= timeout }) else { continue }
      let report = StallReport(entries, quiet: quiet, hosts: hosts).description
      return stalled(board.claim() ? report : nil)
    }
  }

  /// The board must not be read once the watch has been stopped.
  private func entriesUnlessStopped() -> [RankBoard.Entry]? {
    isStopped.withLock { $0 ? nil : board.entries }
  }
}

/// What the ranks of a host were doing when they made no more progress.
struct StallReport: CustomStringConvertible {
  let description: String

  /// `quiet` is for how many seconds each entry has not changed; `hosts` are all ranks' hosts.
  init(_ entries: [RankBoard.Entry], quiet: [Double], hosts: [String]) {
    let furthest = entries.map(\.collectives).max() ?? 0
    let here = hosts[entries[0].rank]
    let arrived = entries.filter { $0.collectives == furthest && $0.isWaiting }.map(\.rank)
    let missing = zip(entries, quiet).filter { !arrived.contains($0.0.rank) }
    let elsewhere = hosts.indices.filter { rank in !entries.contains { $0.rank == rank } }
    var parts = ["stalled in step \((entries.map(\.step).max() ?? 0) + 1)"]
    if !arrived.isEmpty { parts.append("\(StallReport.list(arrived)) on \(here) arrived") }
    parts += missing.map { entry, seconds in
      "rank \(entry.rank) on \(here) did not: \(entry.doing) for \(Int(seconds)) s"
    }
    if missing.isEmpty && !elsewhere.isEmpty {
      let names = elsewhere.map { "\($0) on \(hosts[$0])" }.joined(separator: ", ")
      parts.append("nothing is known here of rank \(names), or the link to them is down")
    }
    description = parts.joined(separator: "; ")
  }

  private static func list(_ ranks: [Int]) -> String {
    (ranks.count == 1 ? "rank " : "ranks ") + ranks.map(String.init).joined(separator: ", ")
  }
}

extension RankBoard.Entry {
  fileprivate var isWaiting: Bool {
    activity == Activity.waiting.rawValue || activity == Activity.reduction.rawValue
  }
  fileprivate var doing: String { Activity(rawValue: activity)?.description ?? "unknown" }
}
