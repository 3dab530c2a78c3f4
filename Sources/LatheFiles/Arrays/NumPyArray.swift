import SystemPackage

/// An array of doubles as in a `.npy` file.
package struct NumPyArray: Sendable, Equatable {
  package let shape: [Int]
  /// Row-major.
  package let values: [Double]

  package init(_ values: [Double], shape: [Int]) {
    (self.values, self.shape) = (values, shape)
  }

  /// The array in the bytes of a file: float32 or float64, either byte order, either order of
  /// indices.
  ///
  /// - Throws: `FileError` (damaged).
  package init(_ bytes: [UInt8], path: FilePath) throws(FileError) {
    let header = try NumPyHeader(bytes, path: path)
    guard let type = ElementType(header.type) else {
      throw FileError(
        .damaged, "element type", path: path, expected: "float32 or float64",
        found: header.summary, hint: "Save it with .astype(\"float64\"), if it is of numbers")
    }
    let found = bytes.count - header.start
    guard header.count <= found / type.size, header.count * type.size == found else {
      throw FileError(
        .damaged, "content", path: path, offset: header.start,
        expected: "\(header.shape) of \(type.size) bytes each", found: "\(found) bytes")
    }
    let values = type.numbers(in: bytes[header.start...])
    self.init(
      header.isFortranOrder ? Self.rowMajor(values, header.shape) : values, shape: header.shape)
  }

  /// Values whose first index is the fastest, in the order in which the last one is.
  package static func rowMajor<Value>(_ values: [Value], _ shape: [Int]) -> [Value] {
    guard shape.count > 1, !values.isEmpty else { return values }
    // An array of Fortran's order is its transpose in C's, index by index from the last.
    let columns = shape.last!
    let rows = values.count / columns
    let rest = Array(shape.dropLast())
    if columns == 1 { return rowMajor(values, rest) }
    var ordered = values
    for column in 0..<columns {
      let part = rowMajor(Array(values[column * rows..<(column + 1) * rows]), rest)
      for row in 0..<rows { ordered[row * columns + column] = part[row] }
    }
    return ordered
  }

  /// A file of little-endian doubles, the header as NumPy writes it.
  package var bytes: [UInt8] {
    NumPyWriter.header(type: "<f8", shape: shape)
      + values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) }
  }
}

/// How numbers lie in a file.
struct ElementType {
  let size: Int
  private let isBigEndian: Bool

  /// Levels of 8 bits; nil for another type.
  static func uint8(_ format: String) -> ElementType? {
    ["|u1", "<u1", "=u1", ">u1", "u1"].contains(format) ? ElementType(size: 1) : nil
  }

  private init(size: Int) { (self.size, isBigEndian) = (size, false) }

  /// Whether numbers lie as this machine has levels and floats.
  var isNative: Bool { size < 8 && !isBigEndian }

  init?(_ format: String) {
    switch format {
    case "<f4", "=f4", "|f4", ">f4": size = 4
    case "<f8", "=f8", "|f8", ">f8": size = 8
    default: return nil
    }
    isBigEndian = format.hasPrefix(">")
  }

  func numbers(in bytes: ArraySlice<UInt8>) -> [Double] {
    bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: size).map { number(in: bytes, at: $0) }
    }
  }

  func floats(in bytes: UnsafeRawBufferPointer) -> [Float] {
    stride(from: 0, to: bytes.count, by: size).map { Float(number(in: bytes, at: $0)) }
  }

  private func number(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Double {
    if size == 8 {
      let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      return Double(bitPattern: isBigEndian ? bits.bigEndian : bits.littleEndian)
    }
    let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return Double(Float(bitPattern: isBigEndian ? bits.bigEndian : bits.littleEndian))
  }
}
