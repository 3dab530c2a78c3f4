import LatheFiles
import Foundation
import SystemPackage

/// What each rank did when, as a file that Chrome's tracing page and Perfetto open: a row for each
/// rank.
///
/// The format is the "Trace Event Format", complete events (`ph: X`), times in microseconds.
package struct Timeline {
  private let ranks: [[RankMonitor.Event]]
  private let hosts: [String]

  /// Every rank's events, on rank 0; nil elsewhere. Clocks are those of the ranks since they began
  /// together. Collective.
  package init?(of monitor: RankMonitor, on world: Communicator) throws(MPIError) {
    let hosts = try world.gather(Array(world.host.utf8), at: 0)
    let events = try world.gather(monitor.events.flatMap(\.bytes), at: 0)
    guard let hosts, let events else { return nil }
    self.hosts = hosts.map { String(decoding: $0, as: UTF8.self) }
    ranks = events.map(RankMonitor.Event.events)
  }

  /// Writes the trace.
  ///
  /// - Throws: `FileError.unwritable`.
  package func write(to path: FilePath) throws {
    let names = ranks.indices.map(row)
    let events = ranks.enumerated().flatMap { rank, events in
      events.map { entry($0, row: rank) }
    }
    let text = "[\n" + (names + events).joined(separator: ",\n") + "\n]\n"
    try FileSystem.replace(path, with: text, isSynced: false)
  }

  /// The name of a rank's row.
  private func row(_ rank: Int) -> String {
    """
    {"ph":"M","name":"thread_name","pid":0,"tid":\(rank),\
    "args":{"name":"rank \(rank) on \(hosts[rank])"}}
    """
  }

  private func entry(_ event: RankMonitor.Event, row: Int) -> String {
    let start = String(format: "%.1f", event.start * 1e6)
    let length = String(format: "%.1f", (event.end - event.start) * 1e6)
    return """
      {"ph":"X","name":"\(event.activity.name)","pid":0,"tid":\(row),"ts":\(start),\
      "dur":\(length),"args":{"step":\(event.step + 1)}}
      """
  }
}

extension RankMonitor.Event {
  private static let size = 32

  /// Four numbers of eight bytes; both ends are of one kind of machine.
  fileprivate var bytes: [UInt8] {
    let words = [UInt64(activity.rawValue), UInt64(step), start.bitPattern, end.bitPattern]
    return words.withUnsafeBytes { Array($0) }
  }

  fileprivate static func events(_ bytes: [UInt8]) -> [RankMonitor.Event] {
    bytes.withUnsafeBytes { raw in
      stride(from: 0, to: raw.count, by: size).map { place in
        let word = { raw.loadUnaligned(fromByteOffset: place + 8 * $0, as: UInt64.self) }
        return RankMonitor.Event(
          activity: Activity(rawValue: Int(word(0)))!, step: Int(word(1)),
          start: Double(bitPattern: word(2)), end: Double(bitPattern: word(3)))
      }
    }
  }
}
