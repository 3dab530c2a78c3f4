import Glibc
import SystemPackage

// A file is written under a name of its own beside the target and then renamed, so that a reader
// finds the old file or the new one, never a part. The temporary name cannot be guessed and must
// not exist: nobody can put a link there and have us write elsewhere.

extension FileSystem {
  /// Puts a file at `path`: the whole of it or, on an error, what was there before.
  ///
  /// The mode of the file is what the umask allows. `isSynced` files outlast a failure of power;
  /// a picture that can be drawn again need not.
  /// - Throws: `FileError` (unwritable), with the bytes needed and free if the disk is full.
  package static func replace(
    _ path: FilePath, with head: [UInt8], then parts: [UnsafeRawBufferPointer] = [],
    isSynced: Bool = true
  ) throws(FileError) {
    try head.withUnsafeBufferPointer { (head) throws(FileError) in
      try replace(path, with: [UnsafeRawBufferPointer(head)] + parts, isSynced: isSynced)
    }
  }

  /// The same for a text.
  package static func replace(
    _ path: FilePath, with text: String, isSynced: Bool = true
  ) throws(FileError) {
    try replace(path, with: Array(text.utf8), isSynced: isSynced)
  }

  private static func replace(
    _ path: FilePath, with parts: [UnsafeRawBufferPointer], isSynced: Bool
  ) throws(FileError) {
    let temporary = try temporaryPath(beside: path)
    do throws(FileError) {
      try write(parts, to: temporary, named: path, isSynced: isSynced)
      try rename(temporary, to: path)
    } catch {
      unlink(temporary.string)
      throw error
    }
    if isSynced { try sync(parent(of: path)) }
  }

  /// Writes a new file; an error names `path`, the name it is to have.
  private static func write(
    _ parts: [UnsafeRawBufferPointer], to temporary: FilePath, named path: FilePath,
    isSynced: Bool
  ) throws(FileError) {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let file = CInt(
      try call("write", path) { Int(Glibc.open(temporary.string, flags, 0o666)) })
    do throws(FileError) {
      let needed = parts.reduce(0) { $0 + $1.count }
      for part in parts { try write(part, to: file, named: path, needed: needed) }
      if isSynced, fsync(file) != 0 { throw lastError(.unwritable, "sync", path, needed: needed) }
    } catch {
      close(file)
      throw error
    }
    // Linux closes the file even if it reports an interruption, so this is never repeated.
    if close(file) != 0, errno != EINTR { throw lastError(.unwritable, "close", path) }
  }

  private static func write(
    _ part: UnsafeRawBufferPointer, to file: CInt, named path: FilePath, needed: Int
  ) throws(FileError) {
    var rest = part
    while !rest.isEmpty {
      let written = Glibc.write(file, rest.baseAddress, rest.count)
      if written < 0, errno == EINTR { continue }
      guard written >= 0 else { throw lastError(.unwritable, "write", path, needed: needed) }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }
}
