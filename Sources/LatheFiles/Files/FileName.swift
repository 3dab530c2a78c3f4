import SystemPackage

/// A name in a folder or an archive, or a path below it with slashes between: the bytes that stand
/// there, whatever their encoding.
///
/// Names are compared byte by byte, so that two normal forms of a letter are two names and every
/// machine sorts alike.
package struct FileName: Hashable, Comparable, Sendable {
  package let bytes: [UInt8]

  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  package init(_ text: String) { self.init(text.utf8) }

  package static func < (a: FileName, b: FileName) -> Bool {
    a.bytes.lexicographicallyPrecedes(b.bytes)
  }

  /// A name below this folder; below nothing, the name itself.
  package func appending(_ name: FileName) -> FileName {
    bytes.isEmpty ? name : FileName(bytes + [UInt8(ascii: "/")] + name.bytes)
  }

  /// What stands between slashes, without empty pieces.
  package var components: [FileName] {
    bytes.split(separator: UInt8(ascii: "/")).map { FileName($0) }
  }

  /// What follows the last dot of the last component, in small letters; nil without a dot in it.
  package var ending: String? {
    let last = bytes.split(separator: UInt8(ascii: "/")).last ?? []
    guard let dot = last.lastIndex(of: UInt8(ascii: ".")), dot > last.startIndex else { return nil }
    return String(decoding: last[(dot + 1)...], as: UTF8.self).lowercased()
  }

  package var isHidden: Bool { bytes.first == UInt8(ascii: ".") }
}

extension FileName: CustomStringConvertible {
  /// The name as a message shows it: bytes that are no UTF-8 as `\xfc`, control characters as
  /// `\u{1b}`.
  package var description: String { printable(bytes) }
}

extension FilePath {
  package func appending(_ name: FileName) -> FilePath {
    if name.bytes.isEmpty { return self }
    var bytes = platformBytes
    if let last = bytes.last, last != UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
    bytes += name.bytes
    let characters = bytes.map { CChar(truncatingIfNeeded: $0) } + [0]
    return characters.withUnsafeBufferPointer { FilePath(platformString: $0.baseAddress!) }
  }

  /// The last component's bytes; nil for the root and the empty path.
  package var lastFileName: FileName? {
    lastComponent == nil ? nil : FileName(platformBytes).components.last
  }

  /// The path as a message shows it.
  package var printable: String { LatheFiles.printable(platformBytes) }

  private var platformBytes: [UInt8] {
    withPlatformString { text in
      var length = 0
      while text[length] != 0 { length += 1 }
      return UnsafeBufferPointer(start: text, count: length).map { UInt8(truncatingIfNeeded: $0) }
    }
  }
}

extension String {
  /// The text with control characters as `\u{1b}`, so that it stays on its line and moves nothing
  /// on a terminal.
  package var printable: String {
    if unicodeScalars.allSatisfy({ $0.isPrintable }) { return self }
    var text = ""
    for scalar in unicodeScalars { text.append(printable: scalar) }
    return text
  }

  /// The same, with line feeds left as they are.
  package var printableLines: String {
    unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      .map { String($0).printable }.joined(separator: "\n")
  }

  fileprivate mutating func append(printable scalar: Unicode.Scalar) {
    if scalar.isPrintable {
      unicodeScalars.append(scalar)
    } else {
      self += "\\u{\(String(scalar.value, radix: 16))}"
    }
  }
}

/// Bytes as text for a message: those that are no UTF-8 as `\xfc`, control characters as `\u{1b}`.
package func printable(_ bytes: [UInt8]) -> String {
  var (text, place) = ("", 0)
  var parser = Unicode.UTF8.ForwardParser()
  var iterator = bytes.makeIterator()
  while true {
    switch parser.parseScalar(from: &iterator) {
    case .emptyInput: return text
    case .valid(let encoded):
      text.append(printable: Unicode.UTF8.decode(encoded))
      place += encoded.count
    case .error(let length):
      for byte in bytes[place..<place + length] { text += "\\x" + twoDigits(byte) }
      place += length
    }
  }
}

private func twoDigits(_ byte: UInt8) -> String {
  (byte < 16 ? "0" : "") + String(byte, radix: 16)
}

extension Unicode.Scalar {
  /// Whether it is shown where it stands: no control character, no end of line, nothing that turns
  /// the direction of writing. Joiners belong to words.
  fileprivate var isPrintable: Bool {
    if value < 0x7f { return value >= 0x20 }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return false
    case .format: return value == 0x200c || value == 0x200d
    // No characters: XML has no place for them.
    case .unassigned: return value & 0xfffe != 0xfffe
    default: return true
    }
  }
}
