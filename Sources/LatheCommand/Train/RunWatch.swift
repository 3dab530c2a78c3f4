import Foundation
import LatheDistributed
import LatheTraining
import SystemPackage

/// What watches over a run: signals, the crash report, the board, the watchdog.
struct RunWatch {
  /// Where this rank says what it does.
  let monitor: RankMonitor
  private let board: RankBoard
  private let watchdog: Watchdog?
  private let settings: OutputSettings
  private let isRoot: Bool

  /// Collective; `hosts` are the names of all ranks' hosts.
  init(_ settings: OutputSettings, _ session: MPISession, hosts: [String]) throws(MPIError) {
    self.settings = settings
    isRoot = session.world.rank == 0
    StopRequest.install(answering: isRoot)
    CrashReport.arm(session)
    board = try RankBoard(session.world)
    monitor = RankMonitor(board: board, keepsEvents: settings.timeline != nil) {
      CrashReport.step = $0
    }
    watchdog =
      settings.stallTimeout > 0
      ? Watchdog(board, hosts: hosts, timeout: settings.stallTimeout) {
        RunWatch.endStalled(session, report: $0, timeout: settings.stallTimeout)
      } : nil
  }

  /// The exit status of a job that stalled: EX_UNAVAILABLE.
  private static let stalledStatus: Int32 = 69

  /// The rank with the report speaks and, once those of other hosts have spoken, ends the job. An
  /// alarm ends this process should that fail.
  private static func endStalled(_ session: MPISession, report: String?, timeout: Double) {
    signal(SIGALRM, SIG_DFL)
    alarm(report == nil ? 8 : 6)
    guard let report else { return }
    let place = "rank \(session.world.rank) on \(session.world.host)"
    writeError("\(place): \(report)")
    Thread.sleep(forTimeInterval: 1)
    session.end(
      saying: "ends the job: no progress for \(Int(timeout.rounded(.up))) s (--stall-timeout)",
      status: stalledStatus)
  }

  /// Prints where the time went, and writes the timeline if one was asked for. Collective.
  func report(_ trainer: Trainer) throws {
    let times = try trainer.times()
    if isRoot { print(times) }
    if isRoot, let overlap = trainer.overlap { print("overlap          \(overlap)") }
    if let path = settings.timeline.map({ FilePath($0) }) {
      try trainer.writeTimeline(to: path)
      if isRoot { print("timeline         \(path)") }
    }
    flushOutput()
  }

  /// The run has come to its end. Collective.
  func finish() throws(MPIError) {
    watchdog?.stop()
    try board.free()
    CrashReport.disarm()
  }
}
