/// A message of protocol buffers as it is written: fields one after another, by number.
///
/// The encoding is that of protobuf.dev/programming-guides/encoding.
package struct ProtocolBuffer: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package init(_ build: (inout ProtocolBuffer) -> Void) { build(&self) }

  /// A field of type `double`.
  package mutating func add(_ field: Int, _ value: Double) {
    tag(field, wire: 1)
    bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  /// A field of type `float`.
  package mutating func add(_ field: Int, _ value: Float) {
    tag(field, wire: 5)
    bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  /// A field of type `int32`, `int64`, `bool` or of an enumeration.
  package mutating func add(_ field: Int, _ value: Int) {
    tag(field, wire: 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A field of type `string`.
  package mutating func add(_ field: Int, _ value: String) { add(field, Array(value.utf8)) }

  /// A field of type `bytes`.
  package mutating func add(_ field: Int, _ value: [UInt8]) {
    tag(field, wire: 2)
    varint(UInt64(value.count))
    bytes += value
  }

  /// A field of type `bytes`, from memory.
  package mutating func add(_ field: Int, _ value: UnsafeRawBufferPointer) {
    tag(field, wire: 2)
    varint(UInt64(value.count))
    bytes += value
  }

  /// A field that is a message.
  package mutating func add(_ field: Int, _ build: (inout ProtocolBuffer) -> Void) {
    add(field, ProtocolBuffer(build).bytes)
  }

  private mutating func tag(_ field: Int, wire: Int) { varint(UInt64(field << 3 | wire)) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7f {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
