import Dispatch
import Glibc
import LatheFiles
import SystemPackage

// Goals, in order:
// 1. One process writes a run's folder at a time, whichever hosts they are on.
// 2. What a crash leaves behind keeps nobody out.
// 3. File systems without locks, and mounts whose locks do not reach other hosts, hold goal 1 too.
//
// `.lock` in the folder is locked by the system where the file system can, and says who has it. It
// is touched every ten seconds. The system's lock ends with its process; where there is none, a
// process of the same machine is looked for, and one of another machine is given thirty seconds
// for a sign of life. The file stays, empty, when the run has ended.

/// The right to write a run's folder, which one process has at a time; it ends with this object.
public final class RunLock {
  private let file: OpenFile
  private let beat: any DispatchSourceTimer

  /// Takes the right to a folder that is there.
  ///
  /// `note` is told, in a line, what was found of a process that no longer has it, and what is
  /// waited for.
  ///
  /// - Throws: `FileError.unwritable` if another process has it, naming its number and host, or if
  ///   the folder cannot be written to.
  public convenience init(folder: FilePath, note: (String) -> Void) throws(FileError) {
    try self.init(folder: folder, patience: .seconds(30), note: note)
  }

  /// The same with another time for a process of another machine to give a sign of life.
  package init(
    folder: FilePath, patience: Duration, note: (String) -> Void
  ) throws(FileError) {
    file = try Self.claimed(folder, patience, note)
    beat = DispatchSource.makeTimerSource()
    beat.schedule(deadline: .now() + 10, repeating: 10)
    beat.setEventHandler { [weak self] in self?.file.touch() }
    beat.activate()
  }

  /// The lock file of a folder, once it says that this process has it.
  private static func claimed(
    _ folder: FilePath, _ patience: Duration, _ note: (String) -> Void
  ) throws(FileError) -> OpenFile {
    let path = folder.appending(".lock")
    let file = try OpenFile(lock: path)
    let locking = file.lock()
    let former = ProcessIdentity(line: try file.text())
    if locking == .held { throw refusal(folder, former) }
    let isOfUnknown = former?.state == .unknown
    if let former, try isHeld(by: former, path, locking, patience, note) {
      throw refusal(folder, former)
    }
    try file.truncate(to: 0)
    try file.append(Array(ProcessIdentity.own.line.utf8))
    if locking == .unsupported || isOfUnknown { try requireOwn(path, folder) }
    return file
  }

  deinit {
    beat.cancel()
    // Emptied before the lock ends, so nobody's line is lost.
    try? file.truncate(to: 0)
  }

  /// Whether the process that a lock file names has the run still.
  private static func isHeld(
    by former: ProcessIdentity, _ path: FilePath, _ locking: OpenFile.Locking,
    _ patience: Duration, _ note: (String) -> Void
  ) throws(FileError) -> Bool {
    let who = "process \(former.number) on \(former.host)"
    switch former.state {
    case .running where locking == .unsupported && former != .own: return true
    case .running, .ended:
      note("\(who) did not end this run's training; it goes on here")
      return false
    case .unknown:
      note("\(who) trained this run; waiting \(patience) for a sign of life")
      let isAlive = try isTouched(path, within: patience)
      if !isAlive { note("\(who) gave no sign of life; the run goes on here") }
      return isAlive
    }
  }

  /// Whether somebody touches the file; opening it again gets past what a network file system
  /// remembers.
  private static func isTouched(
    _ path: FilePath, within patience: Duration
  ) throws(FileError) -> Bool {
    let (end, first) = (ContinuousClock.now + patience, try OpenFile(reading: path).changed())
    while ContinuousClock.now < end {
      usleep(200_000)
      if try OpenFile(reading: path).changed() != first { return true }
    }
    return false
  }

  /// Without locks, or with locks of one machine only, two processes may have written their lines:
  /// the later one has the run.
  private static func requireOwn(_ path: FilePath, _ folder: FilePath) throws(FileError) {
    usleep(300_000)
    let found = ProcessIdentity(line: try OpenFile(reading: path).text())
    if found != .own { throw refusal(folder, found) }
  }

  private static func refusal(_ folder: FilePath, _ holder: ProcessIdentity?) -> FileError {
    FileError(
      .unwritable, "run", path: folder, expected: "no other process that writes it",
      found: holder.map { "process \($0.number) on \($0.host)" } ?? "one",
      hint: "Stop that one first, or choose another --out")
  }
}

extension OpenFile {
  /// The beginning of a text file.
  fileprivate func text() throws(FileError) -> String {
    String(decoding: try bytes(at: 0, count: min(try size(), 400)), as: UTF8.self)
  }
}
