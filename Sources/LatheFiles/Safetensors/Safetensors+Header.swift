import SystemPackage

// Goals, in order:
// 1. After a header has passed, every range lies within the file and fits its shape.
// 2. A refused header is refused with the tensor, the field, and both values.
// 3. A type that is not known here stops nobody who does not ask for its tensor.

extension Safetensors {
  /// Where a tensor lies: its bytes as offsets from the start of the file.
  struct Entry {
    let type: ElementType
    let shape: [Int]
    let range: Range<Int>

    /// Elements; of a type whose size is known.
    var count: Int { range.count / type.byteCount! }
  }

  /// A header that has been checked against the file it heads.
  struct Header {
    /// Bytes of a header; a tensor takes about a hundred, and the values of the header take up to
    /// thirty times as much memory as its text.
    private static let longest = 1 << 23

    let file: FilePath
    private(set) var metadata: [String: String] = [:]
    private(set) var entries: [ByteName: Entry] = [:]
    private(set) var names: [String] = []

    init(_ file: MappedFile) throws(FileError) {
      self.file = file.path
      let length = try Self.length(file)
      let body = Self.dataStart(length)..<file.bytes.count
      for (name, value) in try Self.members(file, length) {
        if name == Self.metadataKey {
          metadata = try strings(value)
        } else {
          entries[ByteName(name)] = try entry(value, name, body)
        }
      }
      names = try contiguousNames(body)
    }

    private static let metadataKey = "__metadata__"

    private static func dataStart(_ length: Int) -> Int { 8 + length }

    private static func length(_ file: MappedFile) throws(FileError) -> Int {
      guard file.bytes.count >= 8 else {
        throw other(file, "file size", expected: "at least 8 bytes", found: "\(file.bytes.count)")
      }
      let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
      let limit = min(file.bytes.count - 8, longest)
      guard length <= UInt64(limit) else {
        throw other(
          file, "header length", offset: 0, expected: "at most \(limit)", found: "\(length)")
      }
      return Int(length)
    }

    /// The error for a file that cannot be of this format, which says what else it is if that is
    /// known.
    private static func other(
      _ file: MappedFile, _ what: String, offset: Int? = nil, expected: String, found: String
    ) -> FileError {
      guard let other = OtherWeights(file) else {
        return FileError(
          .damaged, what, path: file.path, offset: offset, expected: expected, found: found)
      }
      return FileError(
        .damaged, "weights", path: file.path, expected: "a safetensors file", found: other.kind,
        hint: other.hint)
    }

    private static func members(
      _ file: MappedFile, _ length: Int
    ) throws(FileError) -> [(name: String, value: JSONValue)] {
      do throws(JSONError) {
        return try JSONReader.members(of: Array(file.bytes[8..<dataStart(length)]))
      } catch {
        throw FileError(
          .damaged, "header: \(error.message)", path: file.path, offset: 8 + error.offset)
      }
    }
  }
}

// MARK: Fields

extension Safetensors.Header {
  private func strings(_ value: JSONValue) throws(FileError) -> [String: String] {
    guard case .object(let members) = value else {
      throw damaged(nil, "metadata", expected: "an object", found: text(value))
    }
    var strings: [String: String] = [:]
    for (key, value) in members {
      guard case .string(let string) = value else {
        throw damaged(nil, "metadata \(key)", expected: "a string", found: text(value))
      }
      strings[key] = string
    }
    return strings
  }

  private func entry(
    _ value: JSONValue, _ name: String, _ body: Range<Int>
  ) throws(FileError) -> Safetensors.Entry {
    let type = try elementType(value["dtype"], name)
    let shape = try naturals(value["shape"], name, "shape")
    let range = try range(value["data_offsets"], name, body)
    if let size = type.byteCount {
      let needed = Self.byteCount(shape, ofEach: size)
      guard needed == range.count else {
        throw damaged(
          name, "bytes of \(type.name) \(String("\(shape)".prefix(100)))",
          expected: needed.map(String.init) ?? "fewer than 2⁶³", found: "\(range.count)")
      }
    }
    return Safetensors.Entry(type: type, shape: shape, range: range)
  }

  private func elementType(
    _ value: JSONValue?, _ name: String
  ) throws(FileError) -> Safetensors.ElementType {
    guard case .string(let text)? = value, (1...32).contains(text.utf8.count) else {
      throw damaged(name, "dtype", expected: "a type such as F32", found: text(value))
    }
    return Safetensors.ElementType(name: text)
  }

  private func naturals(
    _ value: JSONValue?, _ name: String, _ field: String
  ) throws(FileError) -> [Int] {
    guard case .array(let elements)? = value else {
      throw damaged(name, field, expected: "a list", found: text(value))
    }
    var numbers: [Int] = []
    for element in elements {
      guard case .int(let number) = element, number >= 0 else {
        throw damaged(name, field, expected: "integers from 0", found: text(element))
      }
      numbers.append(number)
    }
    return numbers
  }

  private func range(
    _ value: JSONValue?, _ name: String, _ body: Range<Int>
  ) throws(FileError) -> Range<Int> {
    let offsets = try naturals(value, name, "data_offsets")
    guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= body.count else {
      throw damaged(
        name, "data_offsets", expected: "[begin, end] within [0, \(body.count)]",
        found: offsets.count == 2 ? "\(offsets)" : "\(offsets.count) numbers")
    }
    return body.lowerBound + offsets[0]..<body.lowerBound + offsets[1]
  }

  /// The names in the order of their data, which must fill the body without gap or overlap.
  private func contiguousNames(_ body: Range<Int>) throws(FileError) -> [String] {
    let order = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key.text)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key.text)
    }
    var end = body.lowerBound
    for (name, entry) in order {
      guard entry.range.lowerBound == end else {
        throw damaged(
          name.text, "first byte", expected: "\(end) (no gap, no overlap)",
          found: "\(entry.range.lowerBound)")
      }
      end = entry.range.upperBound
    }
    guard end == body.upperBound else {
      throw damaged(nil, "file size", expected: "\(end) bytes", found: "\(body.upperBound)")
    }
    return order.map(\.key.text)
  }

  /// `nil` if the product is not an `Int`.
  private static func byteCount(_ shape: [Int], ofEach size: Int) -> Int? {
    if shape.contains(0) { return 0 }
    var count = size
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      count = product
    }
    return count
  }

  /// A value in a message; a list or an object by its kind, as it may be of any length.
  private func text(_ value: JSONValue?) -> String {
    switch value {
    case nil: "nothing"
    case .array(let elements): "a list of \(elements.count)"
    case .object(let members): "an object of \(members.count) members"
    case .string(let text): "\"\(text.prefix(100))\""
    case let value?: value.text
    }
  }

  private func damaged(
    _ tensor: String?, _ what: String, expected: String, found: String
  ) -> FileError {
    FileError(
      .damaged, what, path: file, tensor: tensor.map { String($0.prefix(200)) },
      expected: expected, found: found)
  }
}
