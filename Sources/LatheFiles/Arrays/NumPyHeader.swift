import SystemPackage

/// What stands before the values in a `.npy` file: their type, order and shape.
///
/// The format: NumPy, "NEP 1 — A Simple File Format for NumPy Arrays", versions 1 to 3.
package struct NumPyHeader: Sendable {
  /// The type as NumPy abbreviates it, `<f8`; of a structured array the whole list.
  package let type: String
  /// Whether the first index is the fastest.
  package let isFortranOrder: Bool
  package let shape: [Int]
  /// The product of `shape`.
  package let count: Int
  /// Where the values begin.
  package let start: Int

  static let magic = [0x93] + Array("NUMPY".utf8)
  /// Bytes of the text; NumPy itself reads no more than this unless it is told to.
  private static let longest = 10_000
  /// Bytes in which a header lies whole.
  static let mostBytes = 12 + longest
  /// NumPy's own limit.
  private static let mostDimensions = 64

  /// - Throws: `FileError` (damaged) if the bytes do not begin with such a header.
  package init(_ bytes: [UInt8], path: FilePath) throws(FileError) {
    let place = try Self.text(of: bytes, path)
    let text = String(decoding: bytes[place], as: UTF8.self)
    guard let type = Self.value("descr", in: text),
      let order = Self.value("fortran_order", in: text), order == "True" || order == "False",
      let shape = Self.value("shape", in: text).flatMap(Self.sizes),
      let count = Self.product(shape)
    else {
      throw FileError(
        .damaged, "NumPy header", path: path, offset: place.lowerBound,
        expected: "descr, fortran_order and shape",
        found: String(text.prefix(100).filter { !$0.isNewline }))
    }
    (self.type, isFortranOrder, self.shape) = (type, order == "True", shape)
    (self.count, start) = (count, place.upperBound)
  }

  /// The type and the shape in words: `float64 [64, 64]`.
  package var summary: String { "\(typeInWords) \(shape)" }
  /// NumPy's name of the type: `float64`.
  package var typeInWords: String { Self.words(for: type) }

  /// Where the header's text lies.
  private static func text(of bytes: [UInt8], _ path: FilePath) throws(FileError) -> Range<Int> {
    guard bytes.starts(with: magic), bytes.count >= 12 else {
      throw FileError(
        .damaged, "NumPy array", path: path, offset: 0, expected: "the six bytes \\x93NUMPY",
        found: bytes.starts(with: magic) ? "\(bytes.count) bytes" : contentKind(bytes) ?? "others")
    }
    guard (1...3).contains(bytes[6]) else {
      throw FileError(
        .damaged, "NumPy version", path: path, offset: 6, expected: "1, 2 or 3",
        found: "\(bytes[6])")
    }
    let isWide = bytes[6] > 1  // versions 2 and 3 count the header in four bytes
    let start = isWide ? 12 : 10
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= min(bytes.count - start, longest) else {
      throw FileError(
        .damaged, "NumPy header", path: path, offset: 8,
        expected: "at most \(min(bytes.count - start, longest)) bytes", found: "\(length)")
    }
    return start..<start + length
  }
}

// MARK: The text, a Python dictionary

extension NumPyHeader {
  /// What stands after a key, without quotation marks.
  private static func value(_ key: String, in header: String) -> String? {
    guard let found = header.firstRange(of: "'\(key)'") ?? header.firstRange(of: "\"\(key)\"")
    else { return nil }
    let rest = header[found.upperBound...].drop { $0 == " " }
    guard rest.first == ":" else { return nil }
    let value = rest.dropFirst().drop { $0 == " " }
    switch value.first {
    case "'", "\"": return String(value.dropFirst().prefix { $0 != value.first })
    case "(": return String(value.dropFirst().prefix { $0 != ")" })
    case "[": return String(value.prefix { $0 != "]" }) + "]"
    default: return String(value.prefix { $0.isLetter })
    }
  }

  /// Python 2 wrote some sizes with an `L` behind them.
  private static func sizes(_ text: String) -> [Int]? {
    var sizes: [Int] = []
    for part in text.split(separator: ",") where part.contains(where: { $0 != " " }) {
      let digits = part.filter { $0 != " " }
      guard let size = Int(digits.last == "L" ? digits.dropLast() : digits[...]), size >= 0 else {
        return nil
      }
      sizes.append(size)
    }
    return sizes.count <= mostDimensions ? sizes : nil
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

  /// NumPy's name of a type: `float64` for `<f8`.
  private static func words(for type: String) -> String {
    if type.hasPrefix("[") { return "records" }
    guard let kind = type.first(where: \.isLetter),
      let size = Int(type.drop { !$0.isNumber }.prefix(6)), size > 0
    else { return type.hasSuffix("O") ? "Python objects" : String(type.prefix(20)) }
    switch kind {
    case "f": return size > 8 ? "longdouble" : "float\(8 * size)"
    case "c": return "complex\(8 * size)"
    case "i": return "int\(8 * size)"
    case "u": return "uint\(8 * size)"
    case "b": return "bool"
    case "S", "U", "a": return "text"
    default: return String(type.prefix(20))
    }
  }
}
