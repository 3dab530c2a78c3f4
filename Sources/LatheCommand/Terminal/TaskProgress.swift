import Foundation
import LatheDistributed
import LatheFiles

/// What a command is doing and how far it is, on standard error: one line updated in place on a
/// terminal; elsewhere a line for each task, and one every 10 seconds. Rank 0 only.
final class TaskProgress {
  private static let pipeInterval = 10.0
  private static let terminalInterval = 0.2
  private let isTerminal = Launcher.place == nil && isatty(STDERR_FILENO) == 1
  private let delay: Double
  private var task = ""
  /// When the work began, nil while there is none.
  private var start: Double?
  private var taskStart = 0.0
  private var lastShown = -Double.infinity

  /// Nothing is shown of work that takes less than `delay` seconds.
  init(after delay: Double = 0) { self.delay = delay }

  /// Takes up how far a task is, and shows it when that is due. `total` is 0 if nobody knows
  /// it; then rounds are counted.
  func show(_ task: String, _ done: Int, _ total: Int) {
    show(task) { state(done, total, seconds: $0) }
  }

  /// Takes up what another process says of a task.
  func show(_ task: String, saying words: String) {
    show(task) { seconds in "  " + (words.isEmpty ? state(0, 0, seconds: seconds) : words) }
  }

  /// Shows the task and its state, made from the seconds that it has taken.
  private func show(_ task: String, _ state: (Double) -> String) {
    guard Launcher.isRoot else { return }
    let now = ProcessInfo.processInfo.systemUptime
    let start = start ?? now
    self.start = start
    if task != self.task { (self.task, taskStart, lastShown) = (task, now, -.infinity) }
    let interval = isTerminal ? TaskProgress.terminalInterval : TaskProgress.pipeInterval
    guard now - start >= delay, now - lastShown >= interval else { return }
    lastShown = now
    let line = "\(task)\(state(now - taskStart))".printable
    write(isTerminal ? "\r\u{1B}[K" + line.prefix(79) : line + "\n")
  }

  private func state(_ done: Int, _ total: Int, seconds: Double) -> String {
    if total > 0, done > 0 {
      let left = seconds * Double(total - done) / Double(done)
      return ", \(100 * done / total) %" + (left < 1 ? "" : ", \(spell(seconds: left)) left")
    }
    let rounds = done > 0 ? ", \(counted(done, "round"))" : ""
    return rounds + (seconds < 1 ? " …" : " … \(spell(seconds: seconds))")
  }

  /// Clears the line: the work is done.
  func finish() {
    if isTerminal, lastShown > 0 { write("\r\u{1B}[K") }
    (task, start, lastShown) = ("", nil, -.infinity)
  }

  private func write(_ text: String) { send(text, to: STDERR_FILENO) }
}
