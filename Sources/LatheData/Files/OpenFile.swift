import Glibc
import SystemPackage

/// An open file, closed with its owner; its errors name the path and the system's reason.
package struct OpenFile: ~Copyable {
  package let path: FilePath
  let descriptor: CInt

  /// - Throws: `DatasetError` (missing).
  init(reading path: FilePath) throws(DatasetError) {
    try self.init(path, O_RDONLY, failure: .missing)
  }

  /// Opens for reading and writing, making the file if it is not there.
  ///
  /// - Throws: `DatasetError` (unwritable).
  package init(writing path: FilePath) throws(DatasetError) {
    try self.init(path, O_RDWR | O_CREAT, failure: .unwritable)
  }

  private init(_ path: FilePath, _ flags: CInt, failure: DatasetError.Kind) throws(DatasetError) {
    self.path = path
    descriptor = path.withPlatformString { open($0, flags | O_CLOEXEC, 0o644) }
    if descriptor < 0 { throw fileFailure(failure, path) }
  }

  deinit { close(descriptor) }

  /// - Throws: `DatasetError` (missing) if this is no regular file.
  func size() throws(DatasetError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(.missing) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DatasetError(
        .missing, "file", path: path, expected: "a regular file", found: "something else")
    }
    return Int(status.st_size)
  }

  /// All bytes.
  func contents() throws(DatasetError) -> [UInt8] { try bytes(at: 0, count: try size()) }

  /// - Throws: `DatasetError` (missing) if the file ends before.
  func bytes(at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + filled, count - filled, off_t(offset + filled))
      }
      if read < 0 && errno == EINTR { continue }
      guard read >= 0 else { throw failure(.missing) }
      guard read > 0 else {
        throw DatasetError(
          .missing, "file", path: path, offset: offset + filled,
          expected: "\(count - filled) more bytes",
          found: "the end")
      }
      filled += read
    }
    return bytes
  }

  /// - Throws: `DatasetError` (unwritable), with needed and free bytes if the disk is full.
  package func write(_ bytes: [UInt8], at offset: Int) throws(DatasetError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(offset + written))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure(.unwritable, needed: bytes.count - written) }
      written += count
    }
  }

  /// Has the file system set aside `size` bytes, so that a full disk is found at once.
  func reserve(_ size: Int) throws(DatasetError) {
    let status = posix_fallocate(descriptor, 0, off_t(size))
    if status == EOPNOTSUPP || status == EINVAL { return }
    errno = status
    if status != 0 { throw failure(.unwritable, needed: size) }
  }

  package func truncate(to size: Int) throws(DatasetError) {
    if ftruncate(descriptor, off_t(size)) != 0 { throw failure(.unwritable) }
  }

  package func sync() throws(DatasetError) {
    if fsync(descriptor) != 0 { throw failure(.unwritable) }
  }

  /// What the last system call said.
  func failure(_ kind: DatasetError.Kind, needed: Int? = nil) -> DatasetError {
    fileFailure(kind, path, needed: needed)
  }
}

/// The error for what the last system call said about `path`.
func fileFailure(_ kind: DatasetError.Kind, _ path: FilePath, needed: Int? = nil) -> DatasetError {
  let reason = Errno(rawValue: errno)
  let verb = kind == .unwritable ? "writable" : "readable"
  guard let needed, reason == .noSpace || reason == .diskQuotaExceeded else {
    return DatasetError(kind, "file", path: path, expected: "a \(verb) file", found: "\(reason)")
  }
  var status = statvfs()
  let folder = path.removingLastComponent()
  let known = (folder.isEmpty ? "." : folder).withPlatformString { statvfs($0, &status) } == 0
  let free = Int(clamping: status.f_bavail) * Int(clamping: status.f_frsize)
  return DatasetError(
    kind, "file", path: path, expected: "room for \(needed) bytes",
    found: known ? "\(reason), \(free) bytes free" : "\(reason)")
}

/// Renames a file and has the folder's list of names put on the disk.
package func replaceFile(_ path: FilePath, with temporary: FilePath) throws(DatasetError) {
  let status = temporary.withPlatformString { from in
    path.withPlatformString { to in rename(from, to) }
  }
  if status != 0 { throw fileFailure(.unwritable, path) }
  let folder = path.removingLastComponent()
  if let opened = try? OpenFile(reading: folder.isEmpty ? "." : folder) { fsync(opened.descriptor) }
}

/// Makes a folder and those above it, as far as they do not exist.
func makeFolders(_ path: FilePath) throws(DatasetError) {
  if path.isEmpty || isFolder(path) { return }
  try makeFolders(path.removingLastComponent())
  let status = path.withPlatformString { mkdir($0, 0o755) }
  if status != 0 && !isFolder(path) { throw fileFailure(.unwritable, path) }
}

/// Size and time of last change of what is at a path; nil if nothing is.
func fileStatus(_ path: FilePath) -> (size: Int, changed: Int, isFolder: Bool)? {
  var status = stat()
  guard path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
  let changed = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
  return (Int(status.st_size), changed, status.st_mode & S_IFMT == S_IFDIR)
}

func isFolder(_ path: FilePath) -> Bool { fileStatus(path)?.isFolder ?? false }

func isFile(_ path: FilePath) -> Bool { fileStatus(path).map { !$0.isFolder } ?? false }

/// Names in a folder except `.` and `..`, sorted.
func names(in folder: FilePath) throws(DatasetError) -> [String] {
  guard let stream = folder.withPlatformString({ opendir($0) }) else {
    throw DatasetError(
      .missing, "folder", path: folder, expected: "a readable folder",
      found: "\(Errno(rawValue: errno))")
  }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}
