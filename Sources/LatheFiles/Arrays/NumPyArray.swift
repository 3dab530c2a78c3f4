import SystemPackage

/// An array of doubles as in a `.npy` file.
///
/// The format: NumPy, "NEP 1 — A Simple File Format for NumPy Arrays".
package struct NumPyArray: Sendable, Equatable {
  package let shape: [Int]
  /// Row-major.
  package let values: [Double]

  package init(_ values: [Double], shape: [Int]) {
    (self.values, self.shape) = (values, shape)
  }

  private static let magic = [0x93] + Array("NUMPY".utf8)

  /// The array in the bytes of a file: float32 or float64, either byte order, last index fastest.
  ///
  /// - Throws: `FileError` (damaged).
  package init(_ bytes: [UInt8], path: FilePath) throws(FileError) {
    func damaged(_ what: String, _ expected: String, _ found: String, at offset: Int)
      -> FileError
    {
      FileError(.damaged, what, path: path, offset: offset, expected: expected, found: found)
    }
    let place = try Self.header(of: bytes, path)
    let header = String(decoding: bytes[place], as: UTF8.self)
    guard let format = Self.value("descr", in: header), let type = ElementType(format) else {
      throw damaged("element type", "float32 or float64", header, at: place.lowerBound)
    }
    guard Self.value("fortran_order", in: header) == "False",
      let shape = Self.value("shape", in: header).flatMap(Self.sizes),
      let count = Self.product(shape)
    else { throw damaged("layout", "C order and a shape", header, at: place.lowerBound) }
    let found = bytes.count - place.upperBound
    guard count <= found / type.size, count * type.size == found else {
      throw damaged(
        "content", "\(shape) of \(type.size) bytes each", "\(found) bytes", at: place.lowerBound)
    }
    self.init(type.numbers(in: bytes[place.upperBound...]), shape: shape)
  }

  /// Where the header's text lies.
  private static func header(of bytes: [UInt8], _ path: FilePath) throws(FileError) -> Range<Int> {
    guard bytes.starts(with: magic), bytes.count >= 12 else {
      throw FileError(
        .damaged, "NumPy array", path: path, offset: 0, expected: "the six bytes \\x93NUMPY",
        found: "something else")
    }
    let wide = bytes[6] > 1  // versions 2 and 3 count the header in four bytes
    let start = wide ? 12 : 10
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else {
      throw FileError(
        .damaged, "NumPy header", path: path, offset: 8, expected: "\(length) bytes",
        found: "the end of the file")
    }
    return start..<start + length
  }

  /// What stands after a key in the header, a Python dictionary; without quotation marks.
  private static func value(_ key: String, in header: String) -> String? {
    guard let found = header.firstRange(of: "'\(key)':") else { return nil }
    let rest = header[found.upperBound...].drop { $0 == " " }
    switch rest.first {
    case "'": return String(rest.dropFirst().prefix { $0 != "'" })
    case "(": return String(rest.dropFirst().prefix { $0 != ")" })
    default: return String(rest.prefix { $0.isLetter })
    }
  }

  private static func sizes(_ text: String) -> [Int]? {
    var sizes: [Int] = []
    for part in text.split(separator: ",") where part.contains(where: { $0 != " " }) {
      guard let size = Int(part.filter { $0 != " " }), size >= 0 else { return nil }
      sizes.append(size)
    }
    return sizes
  }

  private static func product(_ shape: [Int]) -> Int? {
    var product = 1
    for size in shape {
      let (value, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      product = value
    }
    return product
  }

  /// A file of little-endian doubles, the header as NumPy writes it.
  package var bytes: [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(sizes)), }"
    let end = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - end % 64) % 64) + "\n"
    let length = UInt16(header.utf8.count)
    var bytes = Self.magic + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)]
    bytes += header.utf8
    values.map(\.bitPattern.littleEndian).withUnsafeBytes { bytes += $0 }
    return bytes
  }
}

/// How numbers lie in a file.
private struct ElementType {
  let size: Int
  let isBigEndian: Bool

  init?(_ format: String) {
    switch format {
    case "<f4", "=f4", ">f4": size = 4
    case "<f8", "=f8", ">f8": size = 8
    default: return nil
    }
    isBigEndian = format.hasPrefix(">")
  }

  func numbers(in bytes: ArraySlice<UInt8>) -> [Double] {
    bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: size).map { offset in
        if size == 8 {
          let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          return Double(bitPattern: isBigEndian ? bits.bigEndian : bits.littleEndian)
        }
        let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return Double(Float(bitPattern: isBigEndian ? bits.bigEndian : bits.littleEndian))
      }
    }
  }
}
