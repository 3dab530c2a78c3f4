import SystemPackage

/// The files in a gzipped tar archive, one after the other.
///
/// The format: POSIX.1-2017, "pax", ustar interchange format; GNU's and pax's entries of long names
/// are passed over.
package struct TarGzip: ~Copyable {
  private static let block = 512
  private let path: FilePath
  private var source: GzipSource
  private var entries = 0
  private var kept = 0

  /// - Throws: `FileError`: missing if it cannot be read, damaged if it is no gzip file.
  package init(_ path: FilePath) throws(FileError) {
    let bytes = try OpenFile(reading: path).contents(limit: Limit.images)
    guard GzipSource.begins(bytes) else {
      throw FileError(
        .damaged, "gzip file", path: path, offset: 0, expected: "1f 8b at its start",
        found: contentKind(Array(bytes.prefix(2048)))
          ?? bytes.prefix(2).map { String($0, radix: 16) }.joined(separator: " "))
    }
    self.path = path
    source = GzipSource(bytes, path: path)
  }

  /// The name of the next regular file and its content, which is read only if `isWanted`; nil at
  /// the end.
  ///
  /// - Throws: `FileError` (damaged), also for more than `Limit.tarEntries` files or contents of
  ///   more than `Limit.images` bytes together.
  package mutating func next(where isWanted: (String) -> Bool) throws(FileError)
    -> (name: String, content: [UInt8]?)?
  {
    while true {
      let start = source.offset
      let header = try source.read(upTo: Self.block)
      if header.allSatisfy({ $0 == 0 }) { return nil }  // also when nothing is left
      try check(header, at: start)
      entries += 1
      if entries > Limit.tarEntries {
        throw Limit.exceeded(
          "tar archive", "more", limit: Limit.tarEntries, unit: "files", in: path)
      }
      let size = try Self.size(in: header).orThrow(
        damaged("file size", start + 124, "octal digits"))
      let type = header[156]
      let name = Self.name(in: header)
      let isRegular = type == 0 || type == UInt8(ascii: "0")
      let content = try read(size, keeping: isRegular && isWanted(name), of: name)
      if isRegular { return (name, content) }
    }
  }

  private func check(_ header: [UInt8], at start: Int) throws(FileError) {
    guard header.count == Self.block else {
      throw damaged("tar header", start, "\(Self.block) bytes", "\(header.count)")
    }
    let sum = header.enumerated().reduce(0) {
      $0 + Int((148..<156).contains($1.offset) ? UInt8(ascii: " ") : $1.element)
    }
    guard Self.octal(header[148..<156]) == sum else {
      throw damaged("tar header", start + 148, "the checksum \(sum)", "another")
    }
  }

  private mutating func read(_ size: Int, keeping: Bool, of name: String) throws(FileError)
    -> [UInt8]?
  {
    let start = source.offset
    if keeping { kept += size }
    if kept > Limit.images {
      throw Limit.exceeded(name, "\(kept)", limit: Limit.images, in: path, at: start)
    }
    let padded = (size + Self.block - 1) / Self.block * Self.block
    var content: [UInt8] = []
    if keeping { content.reserveCapacity(padded) }
    var left = padded
    while left > 0 {
      let part = try source.read(upTo: min(left, 1 << 20))
      if part.isEmpty {
        throw damaged(name, start, "\(size) bytes", "\(padded - left), then the end")
      }
      if keeping { content += part }
      left -= part.count
    }
    if keeping { content.removeLast(padded - size) }
    return keeping ? content : nil
  }

  private static func name(in header: [UInt8]) -> String {
    let (name, prefix) = (text(header[0..<100]), text(header[345..<500]))
    let isUstar = header[257..<262].elementsEqual(Array("ustar".utf8))
    return isUstar && !prefix.isEmpty ? "\(prefix)/\(name)" : name
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// At most 11 octal digits, so there is nothing to overflow.
  private static func size(in header: [UInt8]) -> Int? { octal(header[124..<136]) }

  private static func octal(_ bytes: ArraySlice<UInt8>) -> Int? {
    Int(text(bytes).trimming { $0 == " " }, radix: 8).flatMap { $0 < 0 ? nil : $0 }
  }

  private func damaged(
    _ what: String, _ offset: Int, _ expected: String, _ found: String = "others"
  )
    -> FileError
  {
    FileError(
      .damaged, what, path: path, offset: offset, isExpandedOffset: true, expected: expected,
      found: found)
  }
}

extension Optional {
  fileprivate func orThrow(_ error: @autoclosure () -> FileError) throws(FileError) -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}

extension String {
  fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> String {
    String(drop(while: isTrimmed).reversed().drop(while: isTrimmed).reversed())
  }
}
