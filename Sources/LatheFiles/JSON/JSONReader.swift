// Goals, in order:
// 1. Any bytes give a value or an error: no trap, no read outside, no recursion without end.
// 2. Strict: RFC 8259, UTF-8 only, and an object's names must differ.
//    (Foundation's decoder silently takes one of two members of the same name.)
// 3. Time and memory in proportion to the bytes.

/// Where and why bytes are not JSON.
package struct JSONError: Error {
  package let offset: Int
  package let message: String
}

/// Reads one JSON document from bytes that nobody has checked.
package struct JSONReader {
  private static let deepest = 32
  /// Characters of a number; the exact value of a double has at most 1,077.
  private static let longestNumber = 1100
  private let bytes: [UInt8]
  private var position = 0

  /// The value that `bytes` spell, white space around it allowed.
  package static func value(of bytes: [UInt8]) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    if reader.next != nil { throw reader.error("unexpected bytes after the value") }
    return value
  }

  /// The members of the one object that `bytes` spell, in their order; names are bytes, so two
  /// normal forms of a letter are two names.
  package static func members(
    of bytes: [UInt8]
  ) throws(JSONError) -> [(name: String, value: JSONValue)] {
    var reader = JSONReader(bytes: bytes)
    reader.skipSpace()
    guard reader.next == UInt8(ascii: "{") else { throw reader.noObject() }
    let members = try reader.members(depth: 0)
    reader.skipSpace()
    if reader.next != nil { throw reader.error("unexpected bytes after the value") }
    return members
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func noObject() -> JSONError {
    let mark = bytes.starts(with: [0xef, 0xbb, 0xbf])
    return error("expected an object" + (mark ? ", found a byte order mark" : ""))
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func error(_ message: String) -> JSONError {
    JSONError(offset: position, message: message)
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: wanted) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ wanted: Unicode.Scalar) throws(JSONError) {
    skipSpace()
    if !take(wanted) { throw error("expected '\(wanted)'") }
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    if depth > Self.deepest { throw error("more than \(Self.deepest) levels") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> [String: JSONValue] {
    var object: [String: JSONValue] = [:]
    try forEachMember(depth: depth) { object.updateValue($1, forKey: $0) == nil }
    return object
  }

  private mutating func members(
    depth: Int
  ) throws(JSONError) -> [(name: String, value: JSONValue)] {
    var members: [(name: String, value: JSONValue)] = []
    var names: Set<ByteName> = []
    try forEachMember(depth: depth) {
      members.append(($0, $1))
      return names.insert(ByteName($0)).inserted
    }
    return members
  }

  /// `isNew` is told each name with its value, and says whether the name was not there before.
  private mutating func forEachMember(
    depth: Int, _ isNew: (String, JSONValue) -> Bool
  ) throws(JSONError) {
    position += 1
    skipSpace()
    if take("}") { return }
    repeat {
      skipSpace()
      let name = try string()
      try expect(":")
      guard isNew(name, try value(depth: depth + 1)) else {
        throw error("two members \"\(name.prefix(100))\"")
      }
      skipSpace()
    } while take(",")
    try expect("}")
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return elements }
    repeat {
      elements.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    try expect("]")
    return elements
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw error("expected \(word)") }
    position += word.utf8.count
    return value
  }
}

// MARK: Numbers

extension JSONReader {
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    let whole = position
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    guard position - start <= Self.longestNumber else {
      throw error("a number of more than \(Self.longestNumber) characters")
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if position == whole, let value = Int(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else { throw error("number out of range") }
    return .double(value)
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    if position == start { throw error("expected a value") }
  }
}

// MARK: Strings

extension JSONReader {
  private mutating func string() throws(JSONError) -> String {
    if !take("\"") { throw error("expected a string") }
    var text = try plainText()
    while true {
      if take("\"") { return text }
      if !take("\\") { throw error("string without end, or a control character in it") }
      text.unicodeScalars.append(try escape())
      text += try plainText()
    }
  }

  /// The bytes up to a quote, a backslash or a control character.
  private mutating func plainText() throws(JSONError) -> String {
    let start = position
    while let byte = next, byte >= 0x20, byte != 0x22, byte != 0x5C { position += 1 }
    guard let text = String(validating: bytes[start..<position], as: UTF8.self) else {
      position = start
      throw error("not UTF-8")
    }
    return text
  }

  private static let escapes: [(letter: UInt8, meaning: Unicode.Scalar)] = [
    (0x22, "\""), (0x5C, "\\"), (0x2F, "/"), (0x62, "\u{8}"), (0x66, "\u{C}"), (0x6E, "\n"),
    (0x72, "\r"), (0x74, "\t"),
  ]

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    if let scalar = Self.escapes.first(where: { $0.letter == next }) {
      position += 1
      return scalar.meaning
    }
    if !take("u") { throw error("unknown escape") }
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\"), take("u") else { throw error("lone surrogate") }
    let second = try codeUnit()
    guard (0xDC00...0xDFFF).contains(second) else { throw error("lone surrogate") }
    let offset = UInt32(first - 0xD800) << 10 + UInt32(second - 0xDC00)
    guard let scalar = Unicode.Scalar(0x10000 + offset) else { throw error("lone surrogate") }
    return scalar
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}
