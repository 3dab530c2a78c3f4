import CZlib
import SystemPackage

/// The files in a zip archive, read in place: stored or deflated, Zip64 included.
///
/// The format: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10.
package struct ZipArchive: Sendable {
  /// A file in the archive.
  package struct Entry: Sendable {
    /// In UTF-8; see `ZipName` for how it stands in the archive.
    package let name: String
    /// 0 for stored, 8 for deflated.
    let method: UInt16
    let flags: UInt16
    /// CRC-32 of the content.
    package let checksum: UInt32
    let packedSize: Int
    /// Bytes of the content.
    package let size: Int
    let headerOffset: Int
  }

  /// Every file, in the order of the archive's directory; folders are left out.
  package let entries: [Entry]
  private let file: MappedFile

  /// - Throws: `FileError`: missing if the file cannot be read; damaged if its directory is not
  ///   intact, has more than `Limit.zipEntries` files or names of more than `Limit.name` bytes, or
  ///   if the contents of two files overlap.
  package init(_ path: FilePath) throws(FileError) { try self.init(MappedFile(path)) }

  package init(_ file: MappedFile) throws(FileError) {
    self.file = file
    let all = try ZipDirectory(of: file).entries()
    try Self.refuseOverlaps(all, in: file)
    entries = all.filter { !$0.name.utf8.elementsEqual([]) && $0.name.utf8.last != 0x2f }
  }

  /// A path that names the entry in messages.
  package func path(of entry: Entry) -> FilePath { file.path.appending(FileName(entry.name)) }

  /// The content of an entry of at most `limit` bytes, its length and CRC-32 checked.
  ///
  /// - Throws: `FileError` (damaged), also for encrypted entries and other methods than stored and
  ///   deflate.
  package func content(of entry: Entry, limit: Int = Limit.member) throws(FileError) -> [UInt8] {
    let packed = try packedBytes(of: entry)
    guard entry.size <= limit else {
      throw Limit.exceeded(
        "size", "\(entry.size)", limit: limit, in: path(of: entry), at: entry.headerOffset)
    }
    let content: [UInt8]
    switch entry.method {
    case 0 where entry.packedSize == entry.size: content = Array(packed)
    case 8: content = try inflated(packed, of: entry)
    default:
      throw damaged(
        entry, "compression method", "0 (stored) or 8 (deflate)", Self.name(of: entry.method))
    }
    var checksum = Checksum()
    checksum.update(content)
    guard checksum.value == entry.checksum else {
      throw damaged(
        entry, "CRC-32", Checksum(entry.checksum).hexadecimal, checksum.hexadecimal)
    }
    return content
  }

  /// Where the content of a stored entry lies in the archive's file, its CRC-32 checked; nil for
  /// one that is compressed.
  ///
  /// - Throws: `FileError` (damaged).
  package func storedContent(
    of entry: Entry
  ) throws(FileError) -> (file: MappedFile, range: Range<Int>)? {
    guard entry.method == 0, entry.packedSize == entry.size else { return nil }
    let bytes = try packedBytes(of: entry)
    let found = withExtendedLifetime(file) { Checksum(of: bytes).value }
    guard found == entry.checksum else {
      throw damaged(
        entry, "CRC-32", Checksum(entry.checksum).hexadecimal, Checksum(found).hexadecimal)
    }
    guard let start = bytes.baseAddress.map({ $0 - file.bytes.baseAddress! }) else {
      return (file, 0..<0)
    }
    return (file, start..<start + bytes.count)
  }

  /// Section 4.4.5.
  private static func name(of method: UInt16) -> String {
    let names: [UInt16: String] = [
      0: "stored, of another size", 1: "shrunk", 6: "imploded", 9: "Deflate64", 12: "bzip2",
      14: "LZMA", 20: "Zstandard", 93: "Zstandard", 95: "xz", 96: "JPEG", 97: "WavPack",
      98: "PPMd", 99: "AES encryption",
    ]
    return names[method].map { "\(method) (\($0))" } ?? "\(method)"
  }

  private func packedBytes(of entry: Entry) throws(FileError) -> UnsafeRawBufferPointer {
    guard entry.flags & 1 == 0 else { throw damaged(entry, "entry", "no encryption", "encryption") }
    let start = entry.headerOffset
    guard file.integer(UInt32.self, at: start) == 0x0403_4b50 else {
      throw damaged(entry, "local header", "the signature 04034b50", "something else")
    }
    guard let nameLength = file.integer(UInt16.self, at: start + 26),
      let extraLength = file.integer(UInt16.self, at: start + 28),
      let bytes = file.part(
        at: start + 30 + Int(nameLength) + Int(extraLength), count: entry.packedSize)
    else { throw damaged(entry, "content", "\(entry.packedSize) bytes", "the end of the file") }
    return bytes
  }

  private func inflated(_ packed: UnsafeRawBufferPointer, of entry: Entry) throws(FileError)
    -> [UInt8]
  {
    // Deflate expands at most 1032 times, so a wild size allocates no more than the file can fill.
    guard entry.size / 1032 <= packed.count else {
      throw damaged(entry, "size", "at most 1032 times \(packed.count) bytes", "\(entry.size)")
    }
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    var status = inflateInit2_(&stream, -15, ZLIB_VERSION, size)  // no header, largest window
    require(status == Z_OK, "ZipArchive: inflateInit2 returned \(status)")
    var output = [UInt8](repeating: 0, count: max(entry.size, 1))
    output.withUnsafeMutableBufferPointer { target in
      let source = packed.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.next_in = UnsafeMutablePointer(mutating: source)
      stream.avail_in = UInt32(clamping: packed.count)
      stream.next_out = target.baseAddress
      stream.avail_out = UInt32(clamping: target.count)
      status = inflate(&stream, Z_FINISH)
    }
    let made = output.count - Int(stream.avail_out)
    inflateEnd(&stream)
    guard status == Z_STREAM_END, made == entry.size else {
      throw damaged(
        entry, "deflated content", "\(entry.size) bytes", "\(made), zlib status \(status)")
    }
    output.removeLast(output.count - made)
    return output
  }

  private func damaged(_ entry: Entry, _ what: String, _ expected: String, _ found: String)
    -> FileError
  {
    FileError(
      .damaged, what, path: path(of: entry), offset: entry.headerOffset, expected: expected,
      found: found)
  }

  /// Contents that share bytes let a small archive expand without end: Fifield, "A better zip
  /// bomb", WOOT 2019.
  private static func refuseOverlaps(_ entries: [Entry], in file: MappedFile) throws(FileError) {
    let order = entries.indices.sorted {
      (entries[$0].headerOffset, $0) < (entries[$1].headerOffset, $1)
    }
    let localHeader = 30
    for (first, second) in zip(order, order.dropFirst()) {
      let (a, b) = (entries[first], entries[second])
      let (end, isTooLarge) = a.headerOffset.addingReportingOverflow(localHeader + a.packedSize)
      guard !isTooLarge, end <= b.headerOffset else {
        throw FileError(
          .damaged, "zip directory", path: file.path, offset: b.headerOffset,
          expected: "contents one after another", found: "\(a.name) and \(b.name) overlap")
      }
    }
  }
}
