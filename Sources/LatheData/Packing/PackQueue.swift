import Glibc
import LatheFiles
import SystemPackage

/// Begins to pack pictures as soon as no other process packs into the same file.
///
/// As long as the other one makes progress it is waited for. If it makes none for `patience`, or if
/// the file belongs to another user, packing goes on apart from it, under a name that nobody else
/// uses. Where the file system has no locks, packing goes on without one.
public struct PackQueue {
  private let packer: Packer
  private let patience: Duration
  private let say: (String) -> Void

  /// `say` is given a line on what is waited for, every five seconds, and on what was decided.
  public init(
    _ packer: Packer, patience: Duration = .seconds(60), say: @escaping (String) -> Void = { _ in }
  ) {
    self.packer = packer
    self.patience = patience
    self.say = say
  }

  /// The packer to go on with, and how many pictures are done; nil if `isFinished` once nobody else
  /// packs any more.
  ///
  /// - Throws: `FileError` (unwritable), with needed and free bytes if the disk is full.
  public func begin(unless isFinished: () -> Bool = { false }) throws(FileError) -> (
    packer: Packer, done: Int
  )? {
    var wait = PackWait(patience: patience)
    while true {
      switch try packer.take() {
      case .unsupported:
        say("\(packer.partial): the file system has no locks; no other process may pack into it")
        return (packer, try packer.prepareFile())
      case .taken:
        if isFinished() {
          packer.abandon()
          return nil
        }
        return (packer, try packer.prepareFile())
      case .foreign:
        say("\(packer.partial) belongs to another user: packing apart from it")
        return try beginAlone()
      case .held:
        let done = (try? packer.done()) ?? 0
        if wait.isOver(done) {
          say("\(packer.holder) has made no progress for \(patience): packing apart from it")
          return try beginAlone()
        }
        if wait.isLineDue() {
          say("waiting for \(packer.holder), which packs into \(packer.partial): \(done) done")
        }
        usleep(200_000)
      }
    }
  }

  private func beginAlone() throws(FileError) -> (packer: Packer, done: Int) {
    let alone = try packer.alone()
    return (alone, try alone.begin())
  }
}

/// How long another process has been waited for.
private struct PackWait {
  let patience: Duration
  private var done = -1
  private var progressed = ContinuousClock.now
  private var said: ContinuousClock.Instant?

  init(patience: Duration) { self.patience = patience }

  /// Whether nothing was done for too long.
  mutating func isOver(_ done: Int) -> Bool {
    if done != self.done { (self.done, progressed) = (done, .now) }
    return ContinuousClock.now - progressed >= patience
  }

  /// Whether the last line was said five seconds ago or never.
  mutating func isLineDue() -> Bool {
    if let said, ContinuousClock.now - said < .seconds(5) { return false }
    said = .now
    return true
  }
}
