import CZlib
import SystemPackage

/// The files in a zip archive, read in place: stored or deflated, Zip64 included.
///
/// The format: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10.
package struct ZipArchive: Sendable {
  /// A file in the archive.
  package struct Entry: Sendable {
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

  /// - Throws: `FileError`: missing if the file cannot be read, damaged if its directory is not
  ///   intact.
  package init(_ path: FilePath) throws(FileError) { try self.init(MappedFile(path)) }

  package init(_ file: MappedFile) throws(FileError) {
    self.file = file
    entries = try ZipDirectory(of: file).entries()
  }

  /// A path that names the entry in messages.
  package func path(of entry: Entry) -> FilePath { file.path.appending(entry.name) }

  /// The content of an entry, its length and CRC-32 checked.
  ///
  /// - Throws: `FileError` (damaged), also for encrypted entries and other methods than stored and
  ///   deflate.
  package func content(of entry: Entry) throws(FileError) -> [UInt8] {
    let packed = try packedBytes(of: entry)
    let content: [UInt8]
    switch entry.method {
    case 0 where entry.packedSize == entry.size: content = Array(packed)
    case 8: content = try inflated(packed, of: entry)
    default:
      throw damaged(entry, "compression method", "0 (stored) or 8 (deflate)", "\(entry.method)")
    }
    var checksum = Checksum()
    checksum.update(content)
    guard checksum.value == entry.checksum else {
      throw damaged(
        entry, "CRC-32", Checksum(entry.checksum).hexadecimal, checksum.hexadecimal)
    }
    return content
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
}

/// The list at an archive's end.
private struct ZipDirectory {
  let file: MappedFile
  let start: Int
  let size: Int

  init(of file: MappedFile) throws(FileError) {
    self.file = file
    let end = try Self.findEnd(file)
    var place = file.integer(UInt32.self, at: end + 16).map(Int.init)
    var size = file.integer(UInt32.self, at: end + 12).map(Int.init)
    if let wide = Self.wideEnd(file, before: end) {
      place = file.integer(Int64.self, at: wide + 48).map { Int($0) }
      size = file.integer(Int64.self, at: wide + 40).map { Int($0) }
    }
    guard let place, let size, file.part(at: place, count: size) != nil else {
      throw FileError(
        .damaged, "zip directory", path: file.path, offset: end,
        expected: "a place inside the file",
        found: "\(size ?? 0) bytes at \(place ?? 0)")
    }
    (start, self.size) = (place, size)
  }

  /// The end record: 22 bytes and a comment of at most 65,535, the last thing in the file.
  private static func findEnd(_ file: MappedFile) throws(FileError) -> Int {
    let last = file.bytes.count - 22
    if last >= 0 {
      for offset in stride(from: last, through: max(last - 0xffff, 0), by: -1)
      where file.integer(UInt32.self, at: offset) == 0x0605_4b50 {
        return offset
      }
    }
    throw FileError(
      .damaged, "zip archive", path: file.path, offset: file.bytes.count,
      expected: "an end record (signature 06054b50)", found: "none")
  }

  /// The Zip64 end record, if a locator stands before the end record.
  private static func wideEnd(_ file: MappedFile, before end: Int) -> Int? {
    guard file.integer(UInt32.self, at: end - 20) == 0x0706_4b50,
      let offset = file.integer(Int64.self, at: end - 12),
      file.integer(UInt32.self, at: Int(offset)) == 0x0606_4b50
    else { return nil }
    return Int(offset)
  }

  /// Reads the directory to its end; the count in the end record is not trusted, old writers let it
  /// wrap.
  func entries() throws(FileError) -> [ZipArchive.Entry] {
    var entries: [ZipArchive.Entry] = []
    var offset = start
    while offset < start + size {
      let (entry, next) = try entry(at: offset)
      if !entry.name.hasSuffix("/") { entries.append(entry) }
      offset = next
    }
    return entries
  }

  private func entry(at offset: Int) throws(FileError) -> (ZipArchive.Entry, next: Int) {
    guard file.integer(UInt32.self, at: offset) == 0x0201_4b50,
      let flags = file.integer(UInt16.self, at: offset + 8),
      let method = file.integer(UInt16.self, at: offset + 10),
      let checksum = file.integer(UInt32.self, at: offset + 16),
      let packedSize = file.integer(UInt32.self, at: offset + 20),
      let size = file.integer(UInt32.self, at: offset + 24),
      let nameLength = file.integer(UInt16.self, at: offset + 28),
      let extraLength = file.integer(UInt16.self, at: offset + 30),
      let commentLength = file.integer(UInt16.self, at: offset + 32),
      let headerOffset = file.integer(UInt32.self, at: offset + 42),
      let name = file.part(at: offset + 46, count: Int(nameLength)),
      file.part(at: offset + 46 + Int(nameLength), count: Int(extraLength)) != nil
    else { throw damaged(offset, "an entry (signature 02014b50)", "something else") }
    var wide = WideSizes(size: size, packedSize: packedSize, headerOffset: headerOffset)
    let extra = offset + 46 + Int(nameLength)
    wide.read(file, from: extra, to: extra + Int(extraLength))
    guard wide.size >= 0, wide.packedSize >= 0, wide.headerOffset >= 0 else {
      throw damaged(offset, "sizes of at least 0", "\(wide)")
    }
    let entry = ZipArchive.Entry(
      name: String(decoding: name, as: UTF8.self), method: method, flags: flags,
      checksum: checksum, packedSize: wide.packedSize, size: wide.size,
      headerOffset: wide.headerOffset)
    return (entry, extra + Int(extraLength) + Int(commentLength))
  }

  private func damaged(_ offset: Int, _ expected: String, _ found: String) -> FileError {
    FileError(
      .damaged, "zip directory", path: file.path, offset: offset, expected: expected,
      found: found)
  }
}

/// Sizes of an entry, those of 2³² − 1 replaced by what its Zip64 extra field says.
private struct WideSizes {
  var size, packedSize, headerOffset: Int

  init(size: UInt32, packedSize: UInt32, headerOffset: UInt32) {
    (self.size, self.packedSize, self.headerOffset) = (
      Int(size), Int(packedSize), Int(headerOffset)
    )
  }

  mutating func read(_ file: MappedFile, from start: Int, to end: Int) {
    var offset = start
    while offset + 4 <= end, let kind = file.integer(UInt16.self, at: offset),
      let length = file.integer(UInt16.self, at: offset + 2)
    {
      if kind == 1 { replace(file, from: offset + 4, to: min(offset + 4 + Int(length), end)) }
      offset += 4 + Int(length)
    }
  }

  private mutating func replace(_ file: MappedFile, from start: Int, to end: Int) {
    var offset = start
    for field in [\WideSizes.size, \WideSizes.packedSize, \WideSizes.headerOffset]
    where self[keyPath: field] == 0xffff_ffff {
      guard offset + 8 <= end, let value = file.integer(Int64.self, at: offset) else { return }
      self[keyPath: field] = Int(value)
      offset += 8
    }
  }
}
