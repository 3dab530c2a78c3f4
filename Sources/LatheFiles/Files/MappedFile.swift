import Glibc
import SystemPackage

/// The bytes of a file in memory, read-only; unmapped with the last reference.
///
/// Nothing is read until it is touched, and what is touched belongs to the system's cache. A file
/// that somebody cuts short while it is mapped ends the process; ours are replaced whole, never
/// changed.
package final class MappedFile: Sendable {
  package let path: FilePath
  // Valid as long as this object lives. Nobody writes through this pointer, so every thread may
  // read.
  package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let isOwner: Bool

  /// - Throws: `FileError` (missing) if the path is no regular file that can be read.
  package init(_ path: FilePath) throws(FileError) {
    self.path = path
    bytes = try Self.map(path)
    isOwner = true
  }

  /// Bytes that somebody else keeps alive as long as this object; `path` is for messages.
  package init(borrowing bytes: UnsafeRawBufferPointer, as path: FilePath) {
    self.path = path
    self.bytes = bytes
    isOwner = false
  }

  deinit {
    if isOwner, let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }

  private static func map(_ path: FilePath) throws(FileError) -> UnsafeRawBufferPointer {
    let file = try OpenFile(reading: path)
    let size = try file.size()
    if size == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
    guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, file.descriptor, 0),
      start != MAP_FAILED
    else { throw FileSystem.lastError(.missing, "map", path) }
    return UnsafeRawBufferPointer(start: start, count: size)
  }

  /// The number of type `Integer` that lies at `offset` in little-endian order; nil outside the
  /// file.
  package func integer<Integer: FixedWidthInteger>(_: Integer.Type, at offset: Int) -> Integer? {
    guard let part = part(at: offset, count: MemoryLayout<Integer>.size) else { return nil }
    return Integer(littleEndian: part.loadUnaligned(as: Integer.self))
  }

  /// `count` bytes from `offset` on; nil if they do not lie whole in the file.
  package func part(at offset: Int, count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      return nil
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }
}

extension FixedWidthInteger {
  /// The bytes of the number, the lowest first.
  package var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
