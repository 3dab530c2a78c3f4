import Glibc
import SystemPackage

/// A whole file in memory, read-only; unmapped with the last reference.
///
/// Checkpoint files are replaced, never changed in place, so that a mapping keeps its bytes.
package final class MappedFile: Sendable {
  package let path: FilePath
  // Nobody writes through this pointer, so every thread may read.
  package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let isConstant: Bool

  /// - Throws: `.missing` if the path is no file that can be read.
  package init(_ path: FilePath) throws(CheckpointError) {
    self.path = path
    isConstant = false
    let file = try FileSystem.open(path, O_RDONLY, failure: .missing)
    defer { close(file) }
    bytes = try Self.map(file, count: try Self.size(of: file, path), path)
  }

  /// Bytes that are part of the program, under a name for messages.
  package init(constant bytes: UnsafeRawBufferPointer, name: FilePath) {
    path = name
    self.bytes = bytes
    isConstant = true
  }

  deinit {
    if !isConstant, let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }

  private static func size(of file: CInt, _ path: FilePath) throws(CheckpointError) -> Int {
    var status = stat()
    try FileSystem.call("read", path, failure: .missing) { Int(fstat(file, &status)) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError(.missing, in: path, "not a regular file")
    }
    return Int(status.st_size)
  }

  private static func map(
    _ file: CInt, count: Int, _ path: FilePath
  ) throws(CheckpointError) -> UnsafeRawBufferPointer {
    if count == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else {
      throw CheckpointError(.missing, in: path, "map", systemError: Errno(rawValue: errno))
    }
    return UnsafeRawBufferPointer(start: start, count: count)
  }
}
