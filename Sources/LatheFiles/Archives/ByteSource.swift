/// The content of a file, read from start to end.
package protocol ByteSource: ~Copyable {
  /// Where in the content the next byte lies.
  var offset: Int { get }
  /// Whether `offset` counts expanded bytes of a gzip file.
  var isExpanded: Bool { get }
  /// The next `count` bytes, or as many as the content still has.
  mutating func read(upTo count: Int) throws(FileError) -> [UInt8]
}

/// Bytes as they lie in the file.
package struct PlainSource: ByteSource {
  private let bytes: [UInt8]
  package private(set) var offset = 0
  package var isExpanded: Bool { false }

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package mutating func read(upTo count: Int) -> [UInt8] {
    let end = offset + min(count, bytes.count - offset)
    defer { offset = end }
    return Array(bytes[offset..<end])
  }
}
