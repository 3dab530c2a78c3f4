import Foundation
import LatheFiles
import SystemPackage

/// Makes what is missing of some cells, one after the other.
struct ExperimentRunner {
  let runs: [CellRun]
  /// The pictures of single cells, and those that show several together.
  let pictures, sheets: [CellPicture]
  let deadline: Date?
  private let progress = TaskProgress()

  /// Why no more cells are made.
  private struct Stopped: Error { let reason: String }

  /// - Throws: `CommandFailure`: 70 if a cell failed, 75 if it was stopped before the end.
  func run() throws {
    StopRequest.install(answering: false)
    var failed: [String] = []
    do {
      func attempt(_ name: String, _ body: () throws -> Void) throws {
        do { try body() } catch let error as CommandFailure {
          progress.finish()
          note("\(name): \(error)")
          failed.append(name)
        }
      }
      for (number, run) in runs.enumerated() {
        try attempt(run.cell.name) { try make(run, "\(number + 1)/\(runs.count)") }
      }
      for sheet in sheets { try attempt(sheet.name) { try draw(sheet, sheet.name) } }
    } catch let stopped as Stopped {
      progress.finish()
      throw CommandFailure(
        description: "stopped by \(stopped.reason); the same command continues", status: 75)
    }
    progress.finish()
    let done = runs.count { $0.isTrained && $0.isEvaluated }
    print("cells            \(done) of \(runs.count) trained and evaluated")
    flushOutput()
    guard failed.isEmpty else {
      throw CommandFailure(
        description: "failed: \(failed.joined(separator: ", ")). Their logs are in "
          + "\(runs[0].place.folder)/logs; the same command tries again", status: 70)
    }
  }

  private func make(_ run: CellRun, _ place: String) throws {
    let title = "\(place) \(run.cell.name)"
    var isNew = false
    if !run.isTrained {
      if !run.cell.hasRecipe { note("\(run.cell.name): no recipe; the model's defaults are used") }
      try train(run, title)
      isNew = true
    }
    if !run.isEvaluated {
      try require(0, from: command(run.evaluateArguments, of: run, "\(title): scores"), of: run)
      isNew = true
    }
    for picture in pictures where picture.group[0].run == run.run {
      try draw(picture, "\(title): \(picture.part.title)")
    }
    guard isNew else { return }
    progress.finish()
    print("\(title): done, \(run.scores)")
    flushOutput()
  }

  /// Draws a picture, unless it is there already, or none of its cells is trained.
  private func draw(_ picture: CellPicture, _ title: String) throws {
    guard let run = picture.runs.first, !picture.isDrawn else { return }
    let ended = try command(picture.arguments, of: run, title, ranks: picture.ranks)
    try require(0, from: ended, of: run)
  }

  /// Trains to the end. A run that another process is about to leave is waited for.
  private func train(_ run: CellRun, _ title: String) throws {
    for attempt in 0... {
      let ended = try command(run.trainArguments, of: run, title)
      let isTaken = ended.status == 73 && ended.line.contains("no other process")
      guard isTaken, attempt < 10 else {
        try require(0, from: ended, of: run)
        return try run.markTrained()
      }
      try pause(title, seconds: 2)
    }
  }

  private func require(
    _ status: Int32, from ended: (status: Int32, line: String), of run: CellRun
  ) throws {
    guard ended.status != status else { return }
    throw CommandFailure(
      description: "status \(ended.status): \(ended.line) (\(run.place.log(of: run.cell)))",
      status: 70)
  }

  private func pause(_ title: String, seconds: Int) throws {
    for _ in 0..<(10 * seconds) {
      try requireTime()
      progress.show("\(title): another process has the run", 0, 0)
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  private func requireTime() throws {
    if let signal = StopRequest.received { throw Stopped(reason: signal) }
    if let deadline, deadline < Date() { throw Stopped(reason: "--minutes") }
  }

  /// Runs a command of a cell to its end; a stop is passed on to it and waited for.
  private func command(
    _ arguments: [String], of run: CellRun, _ title: String, ranks: Int? = nil
  ) throws -> (status: Int32, line: String) {
    try requireTime()
    let child = try ChildProcess(
      run.command(arguments, ranks: ranks), environment: ChildProcess.environmentOfRanks,
      log: run.place.log(of: run.cell))
    var stop: Stopped?
    while child.isRunning {
      if stop == nil {
        do { try requireTime() } catch {
          stop = error as? Stopped
          child.askToStop()
        }
      }
      progress.show(title, saying: child.lastLine)
      Thread.sleep(forTimeInterval: 0.1)
    }
    let status = child.finish()
    if let stop, status != 0 { throw stop }
    if status == 75 { throw Stopped(reason: "a signal to the run") }
    return (status, child.lastLine)
  }
}
