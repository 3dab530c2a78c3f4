import LatheFiles
import Foundation
import Glibc
import LatheTraining

/// A failure made on purpose, so that tests can see what becomes of it.
///
/// Read from `LATHE_FAULT`, as in `rank=1,step=3,kind=throw`: on that rank, once it has made `step`
/// steps. Kinds: throw, trap, exit, kill, stop (SIGSTOP), sleep, nan (in its images), usr1, term,
/// interrupt and hangup (a signal to itself), kill-while-saving (after the first file of the
/// checkpoint of that step).
struct Fault: FaultInjector {
  struct Thrown: Error, CustomStringConvertible {
    let description = "a fault was asked for (LATHE_FAULT)"
  }

  private let step: Int
  private let kind: String

  /// The fault that is asked of this rank; nil nearly always.
  init?(rank: Int) {
    guard let text = ProcessInfo.processInfo.environment["LATHE_FAULT"] else { return nil }
    let pairs = text.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
    let fields = Dictionary(
      pairs.filter { $0.count == 2 }.map { (String($0[0]), String($0[1])) },
      uniquingKeysWith: { $1 })
    guard fields["rank"] == "\(rank)", let step = fields["step"].flatMap({ Int($0) }),
      let kind = fields["kind"]
    else { return nil }
    self.step = step
    self.kind = kind
  }

  func strike(afterSteps step: Int) throws {
    guard step == self.step else { return }
    switch kind {
    case "throw": throw Thrown()
    case "trap": trap("a fault was asked for (LATHE_FAULT)")
    case "exit": exit(0)
    case "kill": raise(SIGKILL)
    case "stop": raise(SIGSTOP)
    case "sleep": sleep(3600)
    case "usr1": raise(SIGUSR1)
    case "term": raise(SIGTERM)
    case "interrupt": raise(SIGINT)
    case "hangup": raise(SIGHUP)
    default: break
    }
  }

  func poison(_ values: UnsafeMutablePointer<Float>, afterSteps step: Int) {
    if kind == "nan" && step == self.step { values[0] = .nan }
  }

  func strikeWhileSaving(step: Int) {
    if kind == "kill-while-saving" && step == self.step { raise(SIGKILL) }
  }
}
