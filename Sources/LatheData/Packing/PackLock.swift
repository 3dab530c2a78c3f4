import LatheFiles
import Glibc
import Synchronization
import SystemPackage

/// Keeps other processes from packing into the same file, as long as this object lives.
final class PackLock: Sendable {
  private let descriptor = Mutex<CInt>(-1)

  deinit { release() }

  /// Locks the file at `path`, making it if it is not there.
  ///
  /// - Throws: `FileError` (unwritable) if another process has it or it cannot be made.
  func take(_ path: FilePath) throws(FileError) {
    release()
    while true {
      let opened = path.withPlatformString {
        open($0, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
      }
      if opened < 0 { throw FileSystem.lastError(.unwritable, "write", path) }
      guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
        close(opened)
        throw FileError(
          .unwritable, "file", path: path, expected: "no other process packing into it",
          found: "one that does")
      }
      // Between opening and locking the other process may have finished and renamed the file.
      if isStillAt(path, opened) { return descriptor.withLock { $0 = opened } }
      close(opened)
    }
  }

  func release() {
    descriptor.withLock {
      if $0 >= 0 { close($0) }
      $0 = -1
    }
  }

  private func isStillAt(_ path: FilePath, _ descriptor: CInt) -> Bool {
    var (there, here) = (stat(), stat())
    let isThere = path.withPlatformString { stat($0, &there) } == 0
    return isThere && fstat(descriptor, &here) == 0 && there.st_ino == here.st_ino
      && there.st_dev == here.st_dev
  }
}
