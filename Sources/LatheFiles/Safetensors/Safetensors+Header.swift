import SystemPackage

// Goals, in order:
// 1. After a header has passed, every range lies within the file and fits its shape.
// 2. A refused header is refused with the tensor, the field, and both values.

extension Safetensors {
  /// The type of a tensor's elements.
  enum ElementType: String {
    case bool = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case f8e4m3 = "F8_E4M3"
    case f8e5m2 = "F8_E5M2"
    case u16 = "U16"
    case i16 = "I16"
    case f16 = "F16"
    case bf16 = "BF16"
    case u32 = "U32"
    case i32 = "I32"
    case f32 = "F32"
    case u64 = "U64"
    case i64 = "I64"
    case f64 = "F64"

    var byteCount: Int {
      switch self {
      case .bool, .u8, .i8, .f8e4m3, .f8e5m2: 1
      case .u16, .i16, .f16, .bf16: 2
      case .u32, .i32, .f32: 4
      case .u64, .i64, .f64: 8
      }
    }

    var isReadable: Bool { self == .f32 || self == .f64 || self == .i64 }

    /// Values of a readable type as `Float`; the bytes need no alignment.
    func convert(_ bytes: UnsafeRawBufferPointer, to destination: UnsafeMutablePointer<Float>) {
      switch self {
      case .f32:
        UnsafeMutableRawBufferPointer(start: destination, count: bytes.count).copyMemory(
          from: bytes)
      case .f64: Self.convert(bytes, to: destination) { (value: Double) in Float(value) }
      case .i64: Self.convert(bytes, to: destination) { (value: Int64) in Float(value) }
      default: trap("\(rawValue) is not readable")
      }
    }

    private static func convert<Value: BitwiseCopyable>(
      _ bytes: UnsafeRawBufferPointer, to destination: UnsafeMutablePointer<Float>,
      _ rounded: (Value) -> Float
    ) {
      let size = MemoryLayout<Value>.size
      for index in 0..<bytes.count / size {
        let value = bytes.loadUnaligned(fromByteOffset: index * size, as: Value.self)
        destination[index] = rounded(value)
      }
    }
  }

  /// Where a tensor lies: its bytes as offsets from the start of the file.
  struct Entry {
    let type: ElementType
    let shape: [Int]
    let range: Range<Int>

    var count: Int { range.count / type.byteCount }
  }

  /// A header that has been checked against the file it heads.
  struct Header {
    /// The reference implementation's own limit, in bytes.
    private static let longest = 100_000_000

    let file: FilePath
    private(set) var metadata: [String: String] = [:]
    private(set) var entries: [String: Entry] = [:]
    private(set) var names: [String] = []

    init(_ file: MappedFile) throws(FileError) {
      self.file = file.path
      let length = try Self.length(file)
      let body = Self.dataStart(length)..<file.bytes.count
      for (name, value) in try Self.members(file, length) {
        if name == Self.metadataKey {
          metadata = try strings(value)
        } else {
          entries[name] = try entry(value, name, body)
        }
      }
      names = try contiguousNames(body)
    }

    private static let metadataKey = "__metadata__"

    private static func dataStart(_ length: Int) -> Int { 8 + length }

    private static func length(_ file: MappedFile) throws(FileError) -> Int {
      guard file.bytes.count >= 8 else {
        throw FileError(
          .damaged, "file size", path: file.path, expected: "at least 8 bytes",
          found: "\(file.bytes.count)")
      }
      let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
      let limit = min(file.bytes.count - 8, longest)
      guard length <= UInt64(limit) else {
        throw FileError(
          .damaged, "header length", path: file.path, offset: 0, expected: "at most \(limit)",
          found: "\(length)")
      }
      return Int(length)
    }

    private static func members(
      _ file: MappedFile, _ length: Int
    ) throws(FileError) -> [String: JSONValue] {
      do throws(JSONError) {
        let value = try JSONReader.value(of: Array(file.bytes[8..<dataStart(length)]))
        guard case .object(let members) = value else {
          throw JSONError(offset: 0, message: "expected an object")
        }
        return members
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
      throw damaged(nil, "metadata", expected: "an object", found: "\(value)")
    }
    var strings: [String: String] = [:]
    for (key, value) in members {
      guard case .string(let string) = value else {
        throw damaged(nil, "metadata \(key)", expected: "a string", found: "\(value)")
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
    let needed = Self.byteCount(shape, of: type)
    guard needed == range.count else {
      throw damaged(
        name, "bytes of \(type.rawValue) \(shape)",
        expected: needed.map(String.init) ?? "fewer than 2⁶³", found: "\(range.count)")
    }
    return Safetensors.Entry(type: type, shape: shape, range: range)
  }

  private func elementType(
    _ value: JSONValue?, _ name: String
  ) throws(FileError) -> Safetensors.ElementType {
    guard case .string(let text)? = value, let type = Safetensors.ElementType(rawValue: text) else {
      throw damaged(name, "dtype", expected: "a known type such as F32", found: text(value))
    }
    return type
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
        found: "\(offsets)")
    }
    return body.lowerBound + offsets[0]..<body.lowerBound + offsets[1]
  }

  /// The names in the order of their data, which must fill the body without gap or overlap.
  private func contiguousNames(_ body: Range<Int>) throws(FileError) -> [String] {
    let order = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    var end = body.lowerBound
    for (name, entry) in order {
      guard entry.range.lowerBound == end else {
        throw damaged(
          name, "first byte", expected: "\(end) (no gap, no overlap)",
          found: "\(entry.range.lowerBound)")
      }
      end = entry.range.upperBound
    }
    guard end == body.upperBound else {
      throw damaged(nil, "file size", expected: "\(end) bytes", found: "\(body.upperBound)")
    }
    return order.map(\.key)
  }

  /// `nil` if the product is not an `Int`.
  private static func byteCount(_ shape: [Int], of type: Safetensors.ElementType) -> Int? {
    if shape.contains(0) { return 0 }
    var count = type.byteCount
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      count = product
    }
    return count
  }

  private func text(_ value: JSONValue?) -> String { value.map { "\($0)" } ?? "nothing" }

  private func damaged(
    _ tensor: String?, _ what: String, expected: String, found: String
  ) -> FileError {
    FileError(
      .damaged, what, path: file, tensor: tensor, expected: expected,
      found: String(found.prefix(200)))
  }
}
