import Glibc
import SystemPackage

/// An open file, closed with its owner; its errors name the path and the system's reason.
package struct OpenFile: ~Copyable {
  package let path: FilePath
  let descriptor: CInt

  /// - Throws: `FileError` (missing).
  package init(reading path: FilePath) throws(FileError) {
    self.path = path
    descriptor = try Self.open(path, O_RDONLY, "read", .missing)
  }

  /// Opens for reading and writing, making the file if it is not there; never through a link.
  ///
  /// - Throws: `FileError` (unwritable).
  package init(writing path: FilePath) throws(FileError) {
    self.path = path
    descriptor = try Self.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, "write", .unwritable)
  }

  private static func open(
    _ path: FilePath, _ flags: CInt, _ verb: String, _ failure: FileError.Kind
  ) throws(FileError) -> CInt {
    let descriptor = try FileSystem.call(verb, path, failure: failure) {
      Int(path.withPlatformString { Glibc.open($0, flags | O_CLOEXEC, 0o666) })
    }
    return CInt(descriptor)
  }

  deinit { close(descriptor) }

  /// - Throws: `FileError` (missing) if this is no regular file.
  package func size() throws(FileError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileSystem.lastError(.missing, "read", path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileError(
        .missing, "file", path: path, expected: "a regular file",
        found: isFolder ? "a folder" : "something else")
    }
    return Int(status.st_size)
  }

  /// All bytes.
  package func contents() throws(FileError) -> [UInt8] { try bytes(at: 0, count: try size()) }

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
