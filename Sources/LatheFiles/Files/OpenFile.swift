import Glibc
import SystemPackage

/// An open file, closed with its owner; its errors name the path and the system's reason.
package struct OpenFile: ~Copyable, Sendable {
  package let path: FilePath
  let descriptor: CInt

  /// Opens a regular file; a FIFO, a socket, a device or a folder is refused at once.
  ///
  /// - Throws: `FileError` (missing).
  package init(reading path: FilePath) throws(FileError) {
    self.path = path
    descriptor = try Self.open(path, O_RDONLY, "read", .missing)
  }

  /// Opens for reading and writing, making the file if it is not there; never through a link, and
  /// never a file that has a second name elsewhere.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(writing path: FilePath) throws(FileError) {
    self.path = path
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW
    descriptor = try Self.open(path, flags, expecting: "a regular file of one name only") {
      $0.st_nlink == 1
    }
  }

  /// Makes a new file; never through a link, and never one that is there.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(creating path: FilePath) throws(FileError) {
    self.path = path
    descriptor = try Self.open(
      path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, "create", .unwritable)
  }

  /// Opens a file of this user's own for reading and writing: a regular file under one name only,
  /// never through a link.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(owned path: FilePath) throws(FileError) {
    self.path = path
    let flags = O_RDWR | O_NOFOLLOW
    descriptor = try Self.open(path, flags, expecting: "a regular file of this user's own") {
      $0.st_uid == geteuid() && $0.st_nlink == 1
    }
  }

  /// Opens a file whose end is written to, making it if it is not there; never through a link.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(appending path: FilePath) throws(FileError) {
    self.path = path
    let flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW
    descriptor = try Self.open(path, flags, expecting: "a regular file") { _ in true }
  }

  /// Opens a file that is there to be locked, whose end is written to, making it if it is not
  /// there; never through a link. Only who may write it may read it: a reader could lock it too.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(lock path: FilePath) throws(FileError) {
    self.path = path
    let flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW
    descriptor = try Self.open(path, flags, mode: 0o622, expecting: "a regular file") {
      _ in true
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid() else { return }
    let mode = Self.readableByWriters(status.st_mode)
    if mode != status.st_mode & 0o777 { _ = fchmod(descriptor, mode) }
  }

  /// A file's mode with leave to read for those, and only those, who may write.
  static func readableByWriters(_ mode: mode_t) -> mode_t {
    let write = mode & 0o222
    return write | write << 1
  }

  /// Opens a regular file for writing, if its status is as it should be.
  private static func open(
    _ path: FilePath, _ flags: CInt, mode: mode_t = 0o666, expecting words: String,
    _ suits: (stat) -> Bool
  ) throws(FileError) -> CInt {
    let descriptor = try open(path, flags, mode: mode, "write", .unwritable)
    var status = stat()
    if fstat(descriptor, &status) == 0, suits(status) { return descriptor }
    close(descriptor)
    throw FileError(.unwritable, "file", path: path, expected: words, found: "something else")
  }

  private static func open(
    _ path: FilePath, _ flags: CInt, mode: mode_t = 0o666, _ verb: String,
    _ failure: FileError.Kind
  ) throws(FileError) -> CInt {
    // Without O_NONBLOCK, opening a FIFO waits for somebody at its other end.
    let flags = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let descriptor = CInt(
      try FileSystem.call(verb, path, failure: failure) {
        Int(path.withPlatformString { Glibc.open($0, flags, 0o666) })
      })
    do throws(FileError) { try requireRegular(descriptor, path, failure) } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  private static func requireRegular(
    _ descriptor: CInt, _ path: FilePath, _ failure: FileError.Kind
  ) throws(FileError) {
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    let kind = FileSystem.Kind(mode: status.st_mode)
    if isKnown, kind == .file { return }
    throw FileError(
      failure, "file", path: path, expected: "a regular file", found: kind.rawValue)
  }

  deinit { close(descriptor) }

  package func status() throws(FileError) -> FileSystem.Status {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileSystem.lastError(.missing, "read", path)
    }
    return FileSystem.Status(status)
  }

  /// Bytes of the file.
  package func size() throws(FileError) -> Int { try status().size }

  /// All bytes, of which there may be at most `limit`.
  ///
  /// - Throws: `FileError`: missing if it cannot be read, damaged if there are more.
  package func contents(limit: Int = Limit.file) throws(FileError) -> [UInt8] {
    let size = try size()
    guard size <= limit else {
      throw Limit.exceeded("file size", "\(size)", limit: limit, in: path)
    }
    return try bytes(at: 0, count: size)
  }

  /// - Throws: `FileError` (missing) if the file ends before.
  package func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + filled, count - filled, off_t(offset + filled))
      }
      if read < 0 && errno == EINTR { continue }
      guard read >= 0 else { throw FileSystem.lastError(.missing, "read", path) }
      guard read > 0 else {
        throw FileError(
          .missing, "file", path: path, offset: offset + filled,
          expected: "\(count - filled) more bytes", found: "the end")
      }
      filled += read
    }
    return bytes
  }

  /// - Throws: `FileError` (unwritable), with the bytes needed and free if the disk is full.
  package func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(offset + written))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw unwritable(needed: bytes.count - written) }
      written += count
    }
  }

  /// Has the file system set aside `size` bytes, so that a full disk is found at once.
  package func reserve(_ size: Int) throws(FileError) {
    let status = posix_fallocate(descriptor, 0, off_t(size))
    if status == EOPNOTSUPP || status == EINVAL { return }
    errno = status
    if status != 0 { throw unwritable(needed: size) }
  }

  /// Writes at the end, in one call to the system as far as it takes them.
  ///
  /// - Throws: `FileError` (unwritable), with the bytes needed and free if the disk is full.
  package func append(_ bytes: [UInt8]) throws(FileError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw unwritable(needed: bytes.count - written) }
      written += count
    }
  }

  /// Nanoseconds of the last change since 1970.
  package func changed() -> Int {
    var status = stat()
    fstat(descriptor, &status)
    return FileSystem.Status(status).changed
  }

  /// Says that the file has just been changed.
  package func touch() { futimens(descriptor, nil) }

  /// What came of asking for an exclusive lock.
  package enum Locking: Sendable {
    case taken
    /// Another process, or this one through another opened file, has it.
    case held
    /// The file system has no locks.
    case unsupported
  }

  /// Locks the whole file until it is closed; the file must be opened for writing. Whoever may read
  /// the file can keep the lock from being taken, by a lock for reading.
  package func lock() -> Locking {
    // An open file description's lock, for which the shim of `fcntl` has no name.
    let setLock: CInt = 37
    var whole = flock()
    whole.l_type = CShort(F_WRLCK)
    while true {
      if fcntl(descriptor, setLock, &whole) == 0 { return .taken }
      switch errno {
      case EINTR: continue
      case EAGAIN, EACCES: return .held
      default: return .unsupported
      }
    }
  }

  package func truncate(to size: Int) throws(FileError) {
    if ftruncate(descriptor, off_t(size)) != 0 { throw unwritable(needed: size) }
  }

  package func sync() throws(FileError) {
    if fsync(descriptor) != 0 { throw FileSystem.lastError(.unwritable, "sync", path) }
  }

  private func unwritable(needed: Int) -> FileError {
    FileSystem.lastError(.unwritable, "write", path, needed: needed)
  }
}
