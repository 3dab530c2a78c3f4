import LatheFiles
import SystemPackage

/// A text file of rows, whose fields stand between blanks.
struct TextTable {
  let path: FilePath
  private let bytes: [UInt8]

  init(_ path: FilePath) throws(FileError) {
    self.path = path
    bytes = try OpenFile(reading: path).contents()
  }

  /// CRC-32 of the file.
  func add(to checksum: inout Checksum) { checksum.update(bytes) }

  /// SHA-256 of the file, 32 bytes.
  var digest: [UInt8] { SHA256.digest(of: bytes) }

  /// A line's number, counted from 1, and its fields.
  struct Row {
    let line: Int
    fileprivate let bytes: UnsafeBufferPointer<UInt8>
    fileprivate let fields: [Range<Int>]

    var count: Int { fields.count }

    func text(_ field: Int) -> String { String(decoding: bytes[fields[field]], as: UTF8.self) }

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

  /// Calls `body` with each row that is not empty; lines end with LF or CR LF.
  func forEachRow(_ body: (Row) throws(FileError) -> Void) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      var (line, place) = (0, 0)
      while place < bytes.count {
        line += 1
        var fields: [Range<Int>] = []
        var start = place
        while true {
          let byte = place < bytes.count ? bytes[place] : UInt8(ascii: "\n")
          if byte <= UInt8(ascii: " ") {
            if place > start { fields.append(start..<place) }
            start = place + 1
          }
          place += 1
          if byte == UInt8(ascii: "\n") { break }
        }
        if !fields.isEmpty { try body(Row(line: line, bytes: bytes, fields: fields)) }
      }
    }
  }

  func damaged(_ what: String, line: Int?, _ expected: String, _ found: String) -> FileError {
    FileError(.damaged, what, path: path, line: line, expected: expected, found: found)
  }
}
