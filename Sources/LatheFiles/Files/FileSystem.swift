import Foundation
import Glibc
import SystemPackage

/// System calls on files and folders, with typed errors and without interruption by signals.
package enum FileSystem {
  /// Repeats a call while signals interrupt it; −1 means failure, as everywhere in POSIX.
  @discardableResult
  package static func call(
    _ verb: String, _ path: FilePath, failure: FileError.Kind = .unwritable,
    _ body: () -> Int
  ) throws(FileError) -> Int {
    while true {
      let result = body()
      if result >= 0 { return result }
      if errno != EINTR { throw lastError(failure, verb, path) }
    }
  }

  /// The error for what the last system call said about `path`; with the bytes needed and free if
  /// the disk or the quota is full.
  package static func lastError(
    _ kind: FileError.Kind, _ verb: String, _ path: FilePath, needed: Int? = nil
  ) -> FileError {
    let error = Errno(rawValue: errno)
    guard let needed, error == .noSpace || error == .diskQuotaExceeded,
      let free = freeSpace(at: parent(of: path))
    else { return FileError(kind, verb, path: path, systemError: error) }
    return FileError(
      kind, verb, path: path, expected: "\(needed) bytes", found: "\(free)", systemError: error)
  }

  private static func freeSpace(at folder: FilePath) -> Int? {
    var status = statvfs()
    guard folder.withPlatformString({ statvfs($0, &status) }) == 0 else { return nil }
    return Int(clamping: status.f_bavail) * Int(clamping: status.f_frsize)
  }

  /// The folder that holds what is at a path.
  package static func parent(of path: FilePath) -> FilePath {
    let parent = path.removingLastComponent()
    return parent.isEmpty ? "." : parent
  }

  package static func rename(_ old: FilePath, to new: FilePath) throws(FileError) {
    try call("rename to", new) { Int(Glibc.rename(old.string, new.string)) }
  }

  /// Removes a file or a folder with all that is in it, as far as the system lets us.
  package static func remove(_ path: FilePath) {
    try? FileManager.default.removeItem(atPath: path.string)
  }
}

// MARK: What is there

extension FileSystem {
  /// What is at a path, in the words of messages.
  package enum Kind: String, Sendable {
    case file = "a regular file"
    case folder = "a folder"
    case fifo = "a FIFO"
    case socket = "a socket"
    case device = "a device"

    init(mode: mode_t) {
      switch mode & S_IFMT {
      case S_IFREG: self = .file
      case S_IFDIR: self = .folder
      case S_IFIFO: self = .fifo
      case S_IFSOCK: self = .socket
      default: self = .device
      }
    }
  }

  /// What is known of a file or folder without opening it.
  package struct Status: Sendable {
    package let kind: Kind
    /// Bytes of a file.
    package let size: Int
    /// Nanoseconds since 1970 of the last change of the content.
    package let changed: Int
    /// Nanoseconds since 1970 of the last change of content, names or rights, which nobody sets at
    /// will.
    package let statusChanged: Int
    /// Where it lies, whatever its name.
    package let identity: Identity
    /// The number of the user whose it is.
    package let owner: UInt32

    package var isFolder: Bool { kind == .folder }
    /// Whether it belongs to the user for whom this process runs.
    package var isOwn: Bool { owner == geteuid() }

    init(_ status: stat) {
      func nanoseconds(_ time: timespec) -> Int {
        let (whole, isTooLarge) = time.tv_sec.multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLarge ? time.tv_sec : whole &+ time.tv_nsec
      }
      kind = Kind(mode: status.st_mode)
      size = Int(status.st_size)
      changed = nanoseconds(status.st_mtim)
      statusChanged = nanoseconds(status.st_ctim)
      identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
      owner = status.st_uid
    }
  }

  /// Device and inode.
  package struct Identity: Hashable, Sendable {
    package let device, number: UInt64
  }

  /// The status of what is at a path, or, if it is a link, where the link leads; nil if nothing is.
  package static func status(_ path: FilePath) -> Status? {
    var status = stat()
    guard path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
    return Status(status)
  }

  package static func exists(_ path: FilePath) -> Bool {
    path.withPlatformString { access($0, F_OK) } == 0
  }

  /// Whether a regular file is at a path, or a link to one.
  package static func isFile(_ path: FilePath) -> Bool { status(path)?.kind == .file }

  /// Whether a folder is at a path; a link to one counts if links are followed.
  package static func isFolder(_ path: FilePath, followingLinks: Bool = true) -> Bool {
    if followingLinks { return status(path)?.isFolder == true }
    var status = stat()
    return path.withPlatformString { lstat($0, &status) } == 0
      && status.st_mode & S_IFMT == S_IFDIR
  }

  package static func isLink(_ path: FilePath) -> Bool {
    var status = stat()
    return lstat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Names in a folder except `.` and `..`, sorted.
  package static func names(
    in folder: FilePath, failure: FileError.Kind = .missing
  ) throws(FileError) -> [String] {
    try fileNames(in: folder, failure: failure).map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// Names in a folder except `.` and `..` as they are, sorted by their bytes.
  package static func fileNames(
    in folder: FilePath, failure: FileError.Kind = .missing
  ) throws(FileError) -> [FileName] {
    guard let stream = folder.withPlatformString({ opendir($0) }) else {
      throw lastError(failure, "read", folder)
    }
    defer { closedir(stream) }
    var names: [FileName] = []
    while let entry = readdir(stream) {
      // Read through the pointer: a name may reach beyond the declared size of the field.
      let start = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
      let text = start.assumingMemoryBound(to: UInt8.self)
      let name = FileName(
        UnsafeBufferPointer(start: text, count: strlen(start.assumingMemoryBound(to: CChar.self))))
      if name.bytes != [0x2e], name.bytes != [0x2e, 0x2e] { names.append(name) }
    }
    return names.sorted()
  }

  /// All bytes of the file at `path`.
  ///
  /// - Throws: `FileError` (missing) if it is no regular file that can be read.
  package static func contents(of path: FilePath) throws(FileError) -> [UInt8] {
    try OpenFile(reading: path).contents()
  }
}

// MARK: Folders

extension FileSystem {
  /// Makes a folder and those above it, as far as they do not exist.
  package static func makeFolders(_ path: FilePath) throws(FileError) {
    if path.isEmpty || isFolder(path) { return }
    try makeFolders(path.removingLastComponent())
    do throws(FileError) { try makeFolder(path) } catch {
      if !isFolder(path) { throw error }  // another process may have made it
    }
  }

  package static func makeFolder(_ path: FilePath) throws(FileError) {
    try call("create", path) { Int(mkdir(path.string, 0o777)) }
  }

  /// Has the system put a file, or a folder's list of names, on the disk.
  ///
  /// File systems that cannot sync a folder say EINVAL; they leave us nothing better to do.
  package static func sync(_ path: FilePath) throws(FileError) {
    let file = CInt(
      try call("write", path) {
        Int(path.withPlatformString { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) })
      })
    defer { close(file) }
    try call("sync", path) { fsync(file) == 0 || errno == EINVAL ? 0 : -1 }
  }

  /// Syncs everything in a folder, then the folder.
  package static func syncTree(_ folder: FilePath) throws(FileError) {
    for name in try names(in: folder, failure: .unwritable) {
      let path = folder.appending(name)
      if isFolder(path, followingLinks: false) { try syncTree(path) } else { try sync(path) }
    }
    try sync(folder)
  }
}
