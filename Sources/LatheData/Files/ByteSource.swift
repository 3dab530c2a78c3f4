import SystemPackage

/// The content of a file, read from start to end.
protocol ByteSource: ~Copyable {
  /// Where in the content the next byte lies.
  var offset: Int { get }
  /// Whether `offset` counts expanded bytes of a gzip file.
  var isExpanded: Bool { get }
  /// The next `count` bytes, or as many as the content still has.
  mutating func read(upTo count: Int) throws(DatasetError) -> [UInt8]
}

/// Bytes as they lie in the file.
struct PlainSource: ByteSource {
  private let bytes: [UInt8]
  private(set) var offset = 0
  var isExpanded: Bool { false }

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func read(upTo count: Int) -> [UInt8] {
    let end = offset + min(count, bytes.count - offset)
    defer { offset = end }
    return Array(bytes[offset..<end])
  }
}

/// All bytes of the file at `path`.
///
/// - Throws: `DatasetError` (missing) with the system's reason when it cannot be opened or read.
func readFile(_ path: FilePath) throws(DatasetError) -> [UInt8] {
  do {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter { try readAll(of: file) }
  } catch {
    throw DatasetError(
      .missing, "file", path: path, expected: "a readable file", found: "\(error)")
  }
}

/// Reads to the end, doubling the buffer as needed: no size is asked for, folders have strange ones.
private func readAll(of file: FileDescriptor) throws -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  var filled = 0
  while true {
    let read = try bytes.withUnsafeMutableBytes {
      try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
    }
    if read == 0 { break }
    filled += read
    if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: filled)) }
  }
  bytes.removeLast(bytes.count - filled)
  return bytes
}
