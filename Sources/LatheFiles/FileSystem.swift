import Foundation
import Glibc
import SystemPackage

/// The system calls that checkpoints need, with typed errors and without interruption by signals.
package enum FileSystem {
  /// Repeats a call while signals interrupt it; −1 means failure, as everywhere in POSIX.
  @discardableResult
  package static func call(
    _ verb: String, _ path: FilePath, failure: CheckpointError.Kind = .unwritable,
    _ body: () -> Int
  ) throws(CheckpointError) -> Int {
    while true {
      let result = body()
      if result >= 0 { return result }
      let code = Errno(rawValue: errno)
      if code != .interrupted {
        throw CheckpointError(failure, in: path, verb, systemError: code)
      }
    }
  }

  package static func open(
    _ path: FilePath, _ flags: CInt, failure: CheckpointError.Kind
  ) throws(CheckpointError) -> CInt {
    let verb = failure == .missing ? "read" : "write"
    let file = try call(verb, path, failure: failure) {
      Int(Glibc.open(path.string, flags | O_CLOEXEC, 0o644))
    }
    return CInt(file)
  }

  package static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

  package static func isFolder(_ path: FilePath) -> Bool {
    var status = stat()
    return lstat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names in a folder except `.` and `..`, sorted.
  package static func names(
    in folder: FilePath, failure: CheckpointError.Kind
  ) throws(CheckpointError) -> [String] {
    guard let stream = opendir(folder.string) else {
      throw CheckpointError(failure, in: folder, "read", systemError: Errno(rawValue: errno))
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

  package static func rename(_ old: FilePath, to new: FilePath) throws(CheckpointError) {
    try call("rename to", new) { Int(Glibc.rename(old.string, new.string)) }
  }

  /// Makes a folder and those above it, as far as they do not exist.
  package static func makeFolders(_ path: FilePath) throws(CheckpointError) {
    if path.isEmpty || isFolder(path) || exists(path) && isFolder(path.appending(".")) { return }
    try makeFolders(path.removingLastComponent())
    try makeFolder(path)
  }

  package static func makeFolder(_ path: FilePath) throws(CheckpointError) {
    try call("create", path) { Int(mkdir(path.string, 0o755)) }
  }

  /// Removes a file or a folder with all that is in it, as far as the system lets us.
  package static func remove(_ path: FilePath) {
    try? FileManager.default.removeItem(atPath: path.string)
  }

  /// Has the system put a file, or a folder's list of names, on the disk.
  ///
  /// File systems that cannot sync a folder say EINVAL; they leave us nothing better to do.
  package static func sync(_ path: FilePath) throws(CheckpointError) {
    let file = try open(path, O_RDONLY, failure: .unwritable)
    defer { close(file) }
    try call("sync", path) { fsync(file) == 0 || errno == EINVAL ? 0 : -1 }
  }

  /// Syncs everything in a folder, then the folder.
  package static func syncTree(_ folder: FilePath) throws(CheckpointError) {
    for name in try names(in: folder, failure: .unwritable) {
      let path = folder.appending(name)
      if isFolder(path) { try syncTree(path) } else { try sync(path) }
    }
    try sync(folder)
  }
}

// MARK: Whole files

extension FileSystem {
  /// Puts a file at `path`: the whole of it or, on an error, what was there before.
  package static func replace(
    _ path: FilePath, with head: [UInt8], then parts: [UnsafeRawBufferPointer] = []
  ) throws(CheckpointError) {
    try head.withUnsafeBufferPointer { (head) throws(CheckpointError) in
      try replace(path, with: [UnsafeRawBufferPointer(head)] + parts)
    }
  }

  private static func replace(
    _ path: FilePath, with parts: [UnsafeRawBufferPointer]
  ) throws(CheckpointError) {
    let name = path.lastComponent?.string ?? ""
    let temporary = path.removingLastComponent().appending(".\(name).tmp-\(getpid())")
    do {
      try write(parts, to: temporary, named: path)
      try rename(temporary, to: path)
    } catch {
      unlink(temporary.string)
      throw error
    }
    try sync(parent(of: path))
  }

  package static func parent(of path: FilePath) -> FilePath {
    let parent = path.removingLastComponent()
    return parent.isEmpty ? "." : parent
  }

  /// Writes and syncs a new file; an error names `path`, the name it was to have.
  private static func write(
    _ parts: [UnsafeRawBufferPointer], to temporary: FilePath, named path: FilePath
  ) throws(CheckpointError) {
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
    let descriptor = try call("write", path) {
      Int(Glibc.open(temporary.string, flags | O_CLOEXEC, 0o644))
    }
    let file = CInt(descriptor)
    do {
      for part in parts { try write(part, to: file, named: path) }
      try call("sync", path) { Int(fsync(file)) }
    } catch {
      close(file)
      throw withSpace(error, needed: parts.reduce(0) { $0 + $1.count })
    }
    // Linux closes the file even if it reports an interruption, so this is never repeated.
    if close(file) != 0, errno != EINTR {
      throw CheckpointError(.unwritable, in: path, "close", systemError: Errno(rawValue: errno))
    }
  }

  private static func write(
    _ part: UnsafeRawBufferPointer, to file: CInt, named path: FilePath
  ) throws(CheckpointError) {
    var rest = part
    while !rest.isEmpty {
      let written = try call("write", path) { Glibc.write(file, rest.baseAddress, rest.count) }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// The same error, with the bytes needed and free if the disk or the quota is full.
  private static func withSpace(_ error: CheckpointError, needed: Int) -> CheckpointError {
    var status = statvfs()
    guard error.systemError == .noSpace || error.systemError == .diskQuotaExceeded,
      statvfs(parent(of: error.file).string, &status) == 0
    else { return error }
    let free = Int(clamping: status.f_bavail) * Int(clamping: status.f_frsize)
    return CheckpointError(
      error.kind, in: error.file, error.what, expected: "\(needed) bytes", found: "\(free)",
      systemError: error.systemError)
  }
}
