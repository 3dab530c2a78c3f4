import LatheFiles
import Synchronization
import SystemPackage

/// Keeps other processes from packing into the same file, as long as this object lives.
final class PackLock: Sendable {
  /// What came of an attempt.
  enum Outcome {
    case taken
    /// Another process has it.
    case held
    /// The file belongs to another user.
    case foreign
    /// The file system has no locks: packing goes on without one.
    case unsupported
  }

  private let file = Mutex<OpenFile?>(nil)

  /// Locks the file at `path`, making it if it is not there.
  ///
  /// - Throws: `FileError` (unwritable) if it cannot be made, or is a link.
  func take(_ path: FilePath) throws(FileError) -> Outcome {
    release()
    while true {
      if FileSystem.status(path)?.isOwn == false { return .foreign }
      let opened = try OpenFile(writing: path)
      let locking = opened.lock()
      if locking == .held { return .held }
      // Between opening and locking the other process may have finished and renamed the file.
      guard try opened.status().identity == FileSystem.status(path)?.identity else { continue }
      keep(opened)
      return locking == .taken ? .taken : .unsupported
    }
  }

  private func keep(_ opened: consuming OpenFile) {
    var opened: OpenFile? = consume opened
    file.withLock { swap(&$0, &opened) }
  }

  func release() {
    var none: OpenFile?
    file.withLock { swap(&$0, &none) }
  }
}
