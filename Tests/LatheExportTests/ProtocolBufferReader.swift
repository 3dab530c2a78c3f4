/// A message of protocol buffers as it is read: its fields in order.
struct ProtocolBufferReader {
  enum Value {
    case number(UInt64)
    case bytes([UInt8])
  }

  private var fields: [(field: Int, value: Value)] = []

  init(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let tag = Self.varint(&rest)
      switch tag & 7 {
      case 0: fields.append((Int(tag >> 3), .number(Self.varint(&rest))))
      case 1: fields.append((Int(tag >> 3), .number(Self.fixed(8, &rest))))
      case 5: fields.append((Int(tag >> 3), .number(Self.fixed(4, &rest))))
      default:
        let count = Int(Self.varint(&rest))
        fields.append((Int(tag >> 3), .bytes(Array(rest.prefix(count)))))
        rest = rest.dropFirst(count)
      }
    }
  }

  private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while let byte = rest.popFirst() {
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    return value
  }

  private static func fixed(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> UInt64 {
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  func numbers(_ field: Int) -> [Int] {
    fields.compactMap {
      guard $0.field == field, case .number(let number) = $0.value else { return nil }
      return Int(Int64(bitPattern: number))
    }
  }

  func bytes(_ field: Int) -> [[UInt8]] {
    fields.compactMap {
      guard $0.field == field, case .bytes(let bytes) = $0.value else { return nil }
      return bytes
    }
  }

  func strings(_ field: Int) -> [String] {
    bytes(field).map { String(decoding: $0, as: UTF8.self) }
  }

  func messages(_ field: Int) -> [ProtocolBufferReader] { bytes(field).map { Self($0) } }
}
