import LatheDistributed
import Foundation
import Synchronization

/// Ends a job that makes no progress, and says who kept it.
///
/// A thread of each rank looks at what the ranks of its host have posted. When none of them has posted anything for
/// so long, the first to notice says which ranks came to the place where all meet, and which did not; then the
/// job is ended. Time in which the whole job was suspended does not count.
public final class Watchdog: Sendable {
  /// The exit status of a job that stalled: EX_UNAVAILABLE.
  public static let exitStatus: Int32 = 69

  private let session: MPISession
  private let board: RankBoard
  private let hosts: [String]
  private let timeout: Double
  private let isStopped = Mutex(false)

  /// `hosts` are the names of all ranks' hosts; `timeout` is in seconds, above 0.
  public init(_ session: MPISession, _ board: RankBoard, hosts: [String], timeout: Double) {
    self.session = session
    self.board = board
    self.hosts = hosts
    self.timeout = timeout
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
      let isLate = isStopped.withLock { isStopped -> Bool? in
        guard !isStopped else { return nil }
        let entries = board.entries
        for place in entries.indices {
          quiet[place] = entries[place] == last[place] ? quiet[place] + elapsed : 0
        }
        last = entries
        return quiet.allSatisfy { $0 >= timeout }
      }
      guard let isLate else { return }
      if isLate { end(last, quiet) }
    }
  }

  /// The first of the host speaks and, once those of other hosts have spoken, ends the job. An alarm ends this process
  /// should that fail.
  private func end(_ entries: [RankBoard.Entry], _ quiet: [Double]) -> Never {
    let isFirst = board.claim()
    signal(SIGALRM, SIG_DFL)
    alarm(isFirst ? 6 : 8)
    guard isFirst else { while true { Thread.sleep(forTimeInterval: 60) } }
    let message = StallReport(entries, quiet: quiet, hosts: hosts).description
    FileHandle.standardError.write(
      Data("rank \(session.world.rank) on \(session.world.host): \(message)\n".utf8))
    Thread.sleep(forTimeInterval: 1)
    session.abort(
      "ends the job: no progress for \(Int(timeout.rounded(.up))) s (--stall-timeout)",
      status: Watchdog.exitStatus)
  }
}

/// What the ranks of a host were doing when nothing moved any more.
struct StallReport: CustomStringConvertible {
  let description: String

  /// `quiet` is for how many seconds each entry has not changed; `hosts` are all ranks' hosts.
  init(_ entries: [RankBoard.Entry], quiet: [Double], hosts: [String]) {
    let furthest = entries.map(\.meetings).max() ?? 0
    let here = hosts[entries[0].rank]
    let arrived = entries.filter { $0.meetings == furthest && $0.isWaiting }.map(\.rank)
    let missing = zip(entries, quiet).filter { !arrived.contains($0.0.rank) }
    let elsewhere = hosts.indices.filter { rank in !entries.contains { $0.rank == rank } }
    var parts = ["stalled in step \((entries.map(\.step).max() ?? 0) + 1)"]
    if !arrived.isEmpty { parts.append("\(StallReport.list(arrived)) on \(here) arrived") }
    parts += missing.map { entry, seconds in
      "rank \(entry.rank) on \(here) did not: \(entry.activityName) for \(Int(seconds)) s"
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
  fileprivate var activityName: String { Activity(rawValue: activity)?.name ?? "unknown" }
}
