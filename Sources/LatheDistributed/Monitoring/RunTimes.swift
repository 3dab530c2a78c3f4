import LatheFiles
import Foundation

/// How long each rank spent on what.
public struct RunTimes: CustomStringConvertible, Sendable {
  /// For each rank, seconds of each activity in the order of `Activity.allCases`.
  public let seconds: [[Double]]
  /// For each rank, its host's name.
  public let hosts: [String]

  /// For times that are at hand; as many hosts as ranks.
  public init(seconds: [[Double]], hosts: [String]) {
    require(
      seconds.count == hosts.count && !hosts.isEmpty,
      "RunTimes: times of \(seconds.count) ranks on \(hosts.count) hosts")
    self.seconds = seconds
    self.hosts = hosts
  }

  /// Every rank's times, on every rank. Collective.
  package init(of monitor: RankMonitor, on world: Communicator) throws(MPIError) {
    let all = try world.allGather(monitor.seconds.withUnsafeBytes { Array($0) })
    hosts = try world.allGather(Array(world.host.utf8)).map { String(decoding: $0, as: UTF8.self) }
    seconds = all.map { bytes in
      bytes.withUnsafeBytes { raw in
        stride(from: 0, to: raw.count, by: 8).map {
          raw.loadUnaligned(fromByteOffset: $0, as: Double.self)
        }
      }
    }
  }

  /// What a rank does by itself, for which the others have to wait.
  static let ownWork: [Activity] = [.data, .compute, .optimizer]

  /// The rank with the most work of its own, and by which fraction of the mean that exceeds the
  /// mean; nil when there is one rank, or no work.
  public var straggler: (rank: Int, excess: Double)? {
    let work = seconds.map { rank in RunTimes.ownWork.reduce(0) { $0 + rank[$1.rawValue] } }
    let mean = work.reduce(0, +) / Double(work.count)
    guard work.count > 1, mean > 0, let slowest = work.indices.max(by: { work[$0] < work[$1] })
    else { return nil }
    return (slowest, work[slowest] / mean - 1)
  }

  /// A table: for each activity the mean over ranks, its share, the minimum and the maximum of any
  /// rank.
  public var description: String {
    let total = seconds.flatMap { $0 }.reduce(0, +)
    let rows = Activity.allCases.compactMap { activity -> String? in
      let column = seconds.map { $0[activity.rawValue] }
      let sum = column.reduce(0, +)
      guard sum > 0 else { return nil }
      let minimum = column.min()!
      let maximum = column.max()!
      let last = column.firstIndex(of: maximum)!
      return name(activity.name)
        + String(
          format: "%9.3f s %5.1f %%", sum / Double(column.count), total > 0 ? 100 * sum / total : 0)
        + (column.count > 1
          ? String(format: "   %9.3f … %.3f s on rank %d", minimum, maximum, last) : "")
    }
    return ([header] + rows + stragglerLine).joined(separator: "\n")
  }

  private var header: String {
    name("time") + "     mean   share" + (seconds.count > 1 ? "         min … max" : "")
  }

  private var stragglerLine: [String] {
    guard let straggler else { return [] }
    let percent = String(format: "%.1f", 100 * straggler.excess)
    return [
      name("slowest")
        + "rank \(straggler.rank) on \(hosts[straggler.rank]): "
        + "\(percent) % more work of its own than the mean"
    ]
  }

  private func name(_ text: String) -> String {
    text.padding(toLength: 17, withPad: " ", startingAt: 0)
  }
}
