import CZlib

/// A running CRC-32, the one of zlib, gzip and PNG.
package struct Checksum {
  package private(set) var value: UInt32

  /// Goes on from the CRC-32 of what came before.
  package init(_ value: UInt32 = 0) { self.value = value }

  /// The CRC-32 of bytes.
  package init(of bytes: [UInt8]) {
    self.init()
    update(bytes)
  }

  /// The CRC-32 of bytes.
  package init(of bytes: UnsafeRawBufferPointer) {
    self.init()
    update(bytes)
  }

  package mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    // A null pointer would ask zlib for the initial value.
    guard let base = bytes.baseAddress else { return }
    let start = base.assumingMemoryBound(to: UInt8.self)
    value = UInt32(truncatingIfNeeded: crc32_z(UInt(value), start, bytes.count))
  }

  /// Adds many pieces of `length` bytes each, of which only the CRC-32 is known.
  package mutating func append(_ checksums: some Sequence<UInt32>, eachOf length: Int) {
    let operation = crc32_combine_gen(length)
    for checksum in checksums {
      let joined = crc32_combine_op(UInt(value), UInt(checksum), operation)
      value = UInt32(truncatingIfNeeded: joined)
    }
  }

  /// Eight lower-case hexadecimal digits.
  package var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
