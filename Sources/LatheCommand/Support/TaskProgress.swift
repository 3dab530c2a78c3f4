import Foundation
import LatheDistributed

/// What a command is doing and how far it is, on standard error: one line updated in place on a
/// terminal; elsewhere a line for each task, and one every 10 seconds. Rank 0 only.
final class TaskProgress {
  private static let pipeInterval = 10.0
  private static let terminalInterval = 0.2
  private let isTerminal = Launcher.place == nil && isatty(STDERR_FILENO) == 1
  private var task = ""
  private var lastShown = -Double.infinity

  /// Takes up how far a task is, and shows it when that is due. `total` is 0 if nothing is counted.
  func show(_ task: String, _ done: Int, _ total: Int) {
    guard Launcher.isRoot else { return }
    let now = ProcessInfo.processInfo.systemUptime
    let interval = isTerminal ? TaskProgress.terminalInterval : TaskProgress.pipeInterval
    guard task != self.task || now - lastShown >= interval else { return }
    (self.task, lastShown) = (task, now)
    let share = total > 0 && done > 0 ? ", \(100 * done / total) %" : " …"
    write(isTerminal ? "\r\u{1B}[K" + String("\(task)\(share)".prefix(79)) : "\(task)\(share)\n")
  }

  /// Clears the line.
  func finish() {
    if isTerminal, Launcher.isRoot, !task.isEmpty { write("\r\u{1B}[K") }
    task = ""
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
