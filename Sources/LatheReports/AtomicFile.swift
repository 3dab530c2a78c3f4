import Glibc
import SystemPackage

/// Writes `bytes` under a temporary name beside `path`, then renames: a reader finds the old file or
/// the new one, never a part.
///
/// - Throws: `ReportError.file` with the system's reason; the temporary file is removed.
func writeAtomically(_ bytes: [UInt8], to path: FilePath) throws(ReportError) {
  guard let name = path.lastComponent else {
    throw .file(path: path, action: "write", reason: "not a file name")
  }
  let temporary = path.removingLastComponent().appending(".\(name).\(getpid()).part")
  do {
    let file = try FileDescriptor.open(
      temporary, .writeOnly, options: [.create, .truncate],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    _ = try file.closeAfter { try file.writeAll(bytes) }
    try move(temporary, to: path)
  } catch {
    _ = temporary.withPlatformString { unlink($0) }
    throw .file(path: path, action: "write", reason: "\(error)")
  }
}

private func move(_ source: FilePath, to target: FilePath) throws {
  let status = source.withPlatformString { from in
    target.withPlatformString { to in rename(from, to) }
  }
  if status != 0 { throw Errno(rawValue: errno) }
}

/// All bytes of the file at `path`.
///
/// - Throws: `ReportError.file` with the system's reason.
func readFile(_ path: FilePath) throws(ReportError) -> [UInt8] {
  do {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter { try readAll(of: file) }
  } catch {
    throw .file(path: path, action: "read", reason: "\(error)")
  }
}

private func readAll(of file: FileDescriptor) throws -> [UInt8] {
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = try part.withUnsafeMutableBytes { try file.read(into: $0) }
    if count == 0 { return bytes }
    bytes += part[..<count]
  }
}
