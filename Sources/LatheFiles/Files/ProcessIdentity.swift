import Foundation
import Glibc

/// A process, told from every other one, on this machine or another, now or before.
///
/// A process number alone is not enough: it is given out again, and another host, another container
/// or the same host after a restart has the same numbers.
package struct ProcessIdentity: Equatable, Sendable {
  /// The name of its host.
  package let host: String
  package let number: Int
  /// Clock ticks from the host's start to the process's.
  package let start: Int
  /// Eight hexadecimal digits for the host since its last start, and the container.
  package let machine: String

  /// What is known of a process that has left its identity behind.
  package enum State: Sendable {
    case running, ended
    /// It ran on another machine, or on this one before it was restarted.
    case unknown
  }

  /// This process.
  package static let own = ProcessIdentity(
    host: ProcessInfo.processInfo.hostName, number: Int(getpid()),
    start: startOfRunning(Int(getpid())) ?? 0, machine: thisMachine)

  package init(host: String, number: Int, start: Int, machine: String) {
    (self.host, self.number, self.start, self.machine) = (host, number, start, machine)
  }

  /// Whether the process still runs; a zombie does not.
  package var state: State {
    guard machine == Self.own.machine else { return .unknown }
    return Self.startOfRunning(number) == start ? .running : .ended
  }

  /// `/proc` shows who runs on the same machine, apart from zombies.
  package static func isRunning(_ number: Int) -> Bool { startOfRunning(number) != nil }

  /// When a process began, in clock ticks since the host's start; nil if none of this number runs.
  private static func startOfRunning(_ number: Int) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .isoLatin1),
      let end = text.lastIndex(of: ")")
    else { return nil }
    // The state is the third field, the start the twenty-second; the second may have blanks.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return Int(fields[19])
  }

  private static let thisMachine: String = {
    let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    return Checksum(of: Array("\(boot ?? "") \(space ?? "")".utf8)).hexadecimal
  }()
}

extension ProcessIdentity {
  /// One line: host, number, start and machine, separated by blanks.
  package var line: String { "\(host) \(number) \(start) \(machine)\n" }

  /// The process that a ``line`` names; nil for any other text.
  package init?(line: String) {
    let fields = line.prefix(400).split(whereSeparator: \.isWhitespace).map(String.init)
    guard fields.count == 4, let number = Int(fields[1]), let start = Int(fields[2]), number > 0,
      fields[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    self.init(host: fields[0], number: number, start: start, machine: fields[3])
  }
}
