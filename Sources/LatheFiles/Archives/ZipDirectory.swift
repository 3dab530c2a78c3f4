import SystemPackage

/// The list at a zip archive's end.
struct ZipDirectory {
  let file: MappedFile
  private let start: Int
  private let size: Int

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
      let disk = file.integer(UInt16.self, at: end + 4) ?? 0
      throw FileError(
        .damaged, "zip directory", path: file.path, offset: end,
        expected: "a place inside the file",
        found: disk > 0 && disk < 0xffff
          ? "part \(Int(disk) + 1) of a split archive" : "\(size ?? 0) bytes at \(place ?? 0)")
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
    throw noArchive(file)
  }

  private static func noArchive(_ file: MappedFile) -> FileError {
    let isZip = file.integer(UInt32.self, at: 0) == 0x0403_4b50
    let kind = isZip ? nil : contentKind(Array(file.bytes.prefix(2048)))
    return FileError(
      .damaged, "zip archive", path: file.path, offset: kind == nil ? file.bytes.count : 0,
      expected: "an end record (signature 06054b50)",
      found: kind ?? (isZip ? "none: it is cut short" : "none"),
      hint: kind?.hasPrefix("an HTML page") == true
        ? "A page was saved in the place of the file: download it again" : nil)
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
      guard entries.count < Limit.zipEntries else {
        throw Limit.exceeded(
          "zip directory", "more", limit: Limit.zipEntries, unit: "files", in: file.path,
          at: offset)
      }
      entries.append(entry)
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
      let extra = file.part(at: offset + 46 + Int(nameLength), count: Int(extraLength))
    else { throw damaged(offset, "an entry (signature 02014b50)", "something else") }
    guard nameLength <= Limit.name else {
      throw Limit.exceeded(
        "name in zip directory", "\(nameLength)", limit: Limit.name, in: file.path, at: offset)
    }
    let fields = ZipExtraFields(extra)
    var wide = WideSizes(size: size, packedSize: packedSize, headerOffset: headerOffset)
    for field in fields[1] { wide.replace(by: field) }
    guard wide.size >= 0, wide.packedSize >= 0, wide.headerOffset >= 0 else {
      throw damaged(offset, "sizes of at least 0", "\(wide)")
    }
    let entry = ZipArchive.Entry(
      name: zipName(Array(name), isUTF8: flags & 0x800 != 0, fields), method: method,
      flags: flags, checksum: checksum, packedSize: wide.packedSize, size: wide.size,
      headerOffset: wide.headerOffset)
    return (entry, offset + 46 + Int(nameLength) + Int(extraLength) + Int(commentLength))
  }

  private func damaged(_ offset: Int, _ expected: String, _ found: String) -> FileError {
    FileError(
      .damaged, "zip directory", path: file.path, offset: offset, expected: expected,
      found: found)
  }
}

/// The extra fields of an entry: two bytes of kind and two of length before each.
struct ZipExtraFields {
  private let fields: [(kind: UInt16, bytes: [UInt8])]

  init(_ bytes: UnsafeRawBufferPointer) {
    var fields: [(kind: UInt16, bytes: [UInt8])] = []
    var offset = 0
    func number(_ offset: Int) -> UInt16 {
      UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }
    while offset + 4 <= bytes.count {
      let end = offset + 4 + Int(number(offset + 2))
      fields.append((number(offset), Array(bytes[(offset + 4)..<min(end, bytes.count)])))
      offset = end
    }
    self.fields = fields
  }

  /// The fields of a kind.
  subscript(kind: UInt16) -> [[UInt8]] { fields.filter { $0.kind == kind }.map(\.bytes) }
}

/// Sizes of an entry, those of 2³² − 1 replaced by what its Zip64 extra field says.
private struct WideSizes {
  var size, packedSize, headerOffset: Int

  init(size: UInt32, packedSize: UInt32, headerOffset: UInt32) {
    (self.size, self.packedSize, self.headerOffset) = (
      Int(size), Int(packedSize), Int(headerOffset)
    )
  }

  mutating func replace(by field: [UInt8]) {
    var rest = field[...]
    for place in [\WideSizes.size, \WideSizes.packedSize, \WideSizes.headerOffset]
    where self[keyPath: place] == 0xffff_ffff {
      guard rest.count >= 8 else { return }
      let value = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      self[keyPath: place] = Int(truncatingIfNeeded: value)
      rest = rest.dropFirst(8)
    }
  }
}
