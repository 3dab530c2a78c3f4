import Communication
import Training

/// How a run is watched; nothing here changes what it computes.
struct WatchSettings {
  /// Seconds without progress after which the job is ended, 0 for never.
  var stallTimeout = 600.0
}

/// What watches over a run: signals, the crash report, the board, the watchdog.
struct RunWatch {
  /// Where this rank says what it does.
  let monitor: RankMonitor
  private let board: RankBoard
  private let watchdog: Watchdog?

  /// Collective; `hosts` are the names of all ranks' hosts.
  init(_ settings: WatchSettings, _ session: MPISession, hosts: [String]) throws(MPIError) {
    StopRequest.listen()
    CrashReport.arm(session)
    board = try RankBoard(session.world)
    monitor = RankMonitor(board: board)
    watchdog =
      settings.stallTimeout > 0
      ? Watchdog(session, board, hosts: hosts, timeout: settings.stallTimeout) : nil
  }

  /// The run has come to its end. Collective.
  func finish() throws(MPIError) {
    watchdog?.stop()
    try board.free()
    CrashReport.disarm()
  }
}
