import LatheDistributed
import Foundation
import LatheFiles
import LatheTraining

/// Where a run is, how fast, and how long it will take: one line updated in place on a terminal,
/// whole lines at intervals elsewhere.
package final class ProgressLine {
  private static let pipeInterval = 10.0
  private static let terminalInterval = 0.2
  private let total, batch: Int
  // mpirun passes output on line by line, even if it gives each rank a terminal of its own.
  private let isTerminal = Launcher.place == nil && isatty(STDOUT_FILENO) == 1
  private var steps = 0
  private var seconds = 0.0
  private var lastShown = -Double.infinity
  private var isOpen = false

  /// For a run of `total` steps of `batch` images.
  init(total: Int, batch: Int) {
    self.total = total
    self.batch = batch
  }

  /// Takes up a step and shows the line when it is due.
  func show(_ record: Trainer.StepRecord) {
    steps += 1
    seconds += record.seconds
    let now = ProcessInfo.processInfo.systemUptime
    let interval = isTerminal ? ProgressLine.terminalInterval : ProgressLine.pipeInterval
    guard now - lastShown >= interval || record.step == total else { return }
    lastShown = now
    write(line(record))
    (steps, seconds) = (0, 0)
  }

  /// A whole line that stays.
  func say(_ text: String) {
    if isOpen { print() }
    isOpen = false
    print(text)
    flushOutput()
  }

  private func write(_ text: String) {
    if isTerminal {
      Swift.print("\r\u{1B}[K" + text.printable, terminator: "")
      isOpen = true
    } else {
      print(text)
    }
    flushOutput()
  }

  private func line(_ record: Trainer.StepRecord) -> String {
    let perStep = seconds / Double(max(steps, 1))
    let losses = record.losses.filter { $0.name.hasSuffix("/total") }
      .map { "\($0.name.dropLast(6)) \(short($0.value))" }
    let rate = String(format: "%.0f images/s", Double(batch) / perStep)
    let left =
      record.step == total
      ? "done" : spell(seconds: perStep * Double(total - record.step)) + " left"
    return ProgressLine.joined(
      "step \(record.step)/\(total)", losses, "\(rate)  \(left)", columns: isTerminal ? columns : 80
    )
  }

  /// A line of less than `columns`: losses that have no room are left out, the last ones first.
  package static func joined(
    _ start: String, _ losses: [String], _ end: String, columns: Int
  ) -> String {
    for count in (0...losses.count).reversed() {
      let shown = losses.prefix(count) + (count < losses.count ? ["…"] : [])
      let line = ([start] + shown + [end]).joined(separator: "  ")
      if line.count < columns || count == 0 { return String(line.prefix(columns - 1)) }
    }
    return start
  }

  /// Columns of the terminal; 80 where it does not say.
  private var columns: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private func short(_ value: Float) -> String { String(format: "%.4g", value) }
}

/// Seconds in a person's units: `12 s`, `3 min 20 s`, `2 h 5 min`.
func spell(seconds: Double) -> String {
  let whole = seconds < 1e15 ? Int(seconds.rounded()) : 1_000_000_000_000_000
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole % 3600 / 60) min"
}
