import LatheDistributed
import Foundation
import LatheFiles
import LatheTraining

/// Where a run is, how fast, and how long it will take: one line updated in place on a terminal,
/// whole lines at intervals elsewhere. A step that takes long is shown while it goes on.
package final class ProgressLine: @unchecked Sendable {
  private static let pipeInterval = 10.0
  private static let terminalInterval = 0.2
  private let total, batch: Int
  // mpirun passes output on line by line, even if it gives each rank a terminal of its own.
  private let isTerminal = Launcher.place == nil && isatty(STDOUT_FILENO) == 1
  private var steps = 0
  private var seconds = 0.0
  private var lastShown = -Double.infinity
  private var isOpen = false
  /// Steps made, and when the next one began; nil while something else goes on.
  private var step: Int
  private var stepStart: Double?
  // The thread that trains, and that of the timer.
  private let lock = NSLock()
  private let timer = DispatchSource.makeTimerSource(queue: .global())

  /// For a run of `total` steps of `batch` images that has made `step` steps.
  init(total: Int, batch: Int, after step: Int) {
    (self.total, self.batch, self.step) = (total, batch, step)
    timer.setEventHandler { [weak self] in self?.tick() }
    timer.schedule(deadline: .now() + 1, repeating: 1)
    timer.activate()
  }

  deinit { timer.cancel() }

  private var now: Double { ProcessInfo.processInfo.systemUptime }

  /// Takes up a step and shows the line when it is due.
  func show(_ record: Trainer.StepRecord) {
    lock.withLock {
      (step, stepStart) = (record.step, record.step < total ? now : nil)
      steps += 1
      seconds += record.seconds
      let interval = isTerminal ? ProgressLine.terminalInterval : ProgressLine.pipeInterval
      guard now - lastShown >= interval || record.step == total else { return }
      write(line(record))
      (steps, seconds) = (0, 0)
    }
  }

  /// Something else goes on than steps, and shows itself.
  func pause() { lock.withLock { stepStart = nil } }

  /// The next step begins, if there is one.
  func proceed() { lock.withLock { stepStart = step < total ? now : nil } }

  /// Shows for how long the present step has gone on, if there was no line for a while.
  private func tick() {
    lock.withLock {
      guard let stepStart, now - stepStart >= 2.5,
        now - lastShown >= (isTerminal ? 0.9 : ProgressLine.pipeInterval)
      else { return }
      write("step \(step + 1)/\(total) … \(spell(seconds: now - stepStart))")
    }
  }

  /// A whole line that stays.
  func say(_ text: String) {
    lock.withLock {
      if isOpen { print() }
      isOpen = false
      print(text)
      flushOutput()
    }
  }

  private func write(_ text: String) {
    lastShown = now
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
