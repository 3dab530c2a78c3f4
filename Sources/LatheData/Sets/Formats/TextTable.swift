import LatheFiles
import SystemPackage

/// A text file of rows, whose fields stand between blanks, or, in a CSV, between commas.
struct TextTable {
  /// Bytes of a file, 256 MiB; CelebA's longest list has 27 million.
  private static let longest = 1 << 28
  /// CelebA has 202,599.
  private static let mostRows = 2_000_000
  private static let mostFields = 4096
  /// Bytes of the first field, the name of a picture, as of a path on Linux.
  private static let longestName = 4096

  let path: FilePath
  /// Whether fields stand between commas.
  let isCSV: Bool
  private let bytes: ArraySlice<UInt8>

  /// Reads a file; one whose first line has a comma is a CSV, whatever its ending.
  ///
  /// - Throws: `FileError`: missing if it cannot be read; damaged if it is too long or no text.
  init(_ path: FilePath) throws(FileError) {
    self.path = path
    let bytes = try OpenFile(reading: path).contents(limit: Self.longest)
    let mark = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    self.bytes = bytes[mark...]
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    isCSV = line.contains(UInt8(ascii: ","))
    if !bytes.isEmpty, let kind = contentKind(Array(bytes.prefix(2048))) {
      throw damaged("list", line: nil, "lines of text", kind)
    }
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw damaged("list", line: nil, "text in UTF-8", "UTF-16; save it as UTF-8")
    }
  }

  /// CRC-32 of the file.
  func add(to checksum: inout Checksum) { checksum.update(Array(bytes)) }

  /// SHA-256 of the file, 32 bytes.
  var digest: [UInt8] { SHA256.digest(of: Array(bytes)) }

  /// A line's number, counted from 1, and its fields.
  struct Row {
    let line: Int
    fileprivate let bytes: UnsafeBufferPointer<UInt8>
    fileprivate let fields: [Range<Int>]

    var count: Int { fields.count }

    func text(_ field: Int) -> String { String(decoding: bytes[fields[field]], as: UTF8.self) }

    /// The first fields, for a message.
    var shown: String {
      fields.prefix(4).map { String(decoding: bytes[$0].prefix(100), as: UTF8.self) }
        .joined(separator: " ")
    }

    /// The field as a whole number of at most 9 digits.
    func integer(_ field: Int) -> Int? {
      var digits = bytes[fields[field]]
      let isNegative = digits.first == UInt8(ascii: "-")
      if isNegative { digits = digits.dropFirst() }
      guard (1...9).contains(digits.count) else { return nil }
      var value = 0
      for digit in digits {
        guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
        value = 10 * value + Int(digit - UInt8(ascii: "0"))
      }
      return isNegative ? -value : value
    }
  }

  /// Whether a row is the line of names with which a CSV begins.
  func isHeader(_ row: Row) -> Bool {
    isCSV && row.line == 1 && (row.count < 2 || row.integer(1) == nil)
  }

  /// Calls `body` with each row that is not empty; lines end with LF, CR LF or CR.
  ///
  /// - Throws: what `body` throws; `FileError` (damaged) for too many rows or fields.
  func forEachRow(_ body: (Row) throws(FileError) -> Void) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      var (line, rows, place) = (0, 0, 0)
      while place < bytes.count {
        line += 1
        let end = Self.endOfLine(bytes, from: place)
        let fields = try fields(bytes, place..<end, line: line)
        place = end + 1
        let isCarriageReturn = end < bytes.count && bytes[end] == UInt8(ascii: "\r")
        if isCarriageReturn, place < bytes.count, bytes[place] == UInt8(ascii: "\n") { place += 1 }
        if fields.isEmpty { continue }
        rows += 1
        guard rows <= Self.mostRows else {
          throw damaged("list", line: line, "at most \(Self.mostRows) rows", "more")
        }
        try body(Row(line: line, bytes: bytes, fields: fields))
      }
    }
  }

  private static func endOfLine(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n"), bytes[end] != UInt8(ascii: "\r") {
      end += 1
    }
    return end
  }

  /// The fields of a line; empty ones count in a CSV only, unless the whole line is.
  private func fields(
    _ bytes: UnsafeBufferPointer<UInt8>, _ line: Range<Int>, line number: Int
  ) throws(FileError) -> [Range<Int>] {
    var fields: [Range<Int>] = []
    var start = line.lowerBound
    for place in line.lowerBound...line.upperBound {
      let isEnd = place == line.upperBound
      guard isEnd || (isCSV ? bytes[place] == UInt8(ascii: ",") : bytes[place] <= 0x20) else {
        continue
      }
      let field = isCSV ? trimmed(bytes, start..<place) : start..<place
      if isCSV || !field.isEmpty { fields.append(field) }
      start = place + 1
      guard fields.count <= Self.mostFields else {
        throw damaged("row", line: number, "at most \(Self.mostFields) fields", "more")
      }
    }
    if let first = fields.first, first.count > Self.longestName {
      throw damaged("name", line: number, "at most \(Self.longestName) bytes", "\(first.count)")
    }
    return fields.count == 1 && fields[0].isEmpty ? [] : fields
  }

  /// Without blanks and quotation marks around.
  private func trimmed(_ bytes: UnsafeBufferPointer<UInt8>, _ field: Range<Int>) -> Range<Int> {
    func isAround(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == UInt8(ascii: "\"") }
    var (start, end) = (field.lowerBound, field.upperBound)
    while start < end, isAround(bytes[start]) { start += 1 }
    while start < end, isAround(bytes[end - 1]) { end -= 1 }
    return start..<end
  }

  func damaged(_ what: String, line: Int?, _ expected: String, _ found: String) -> FileError {
    FileError(.damaged, what, path: path, line: line, expected: expected, found: found)
  }
}
