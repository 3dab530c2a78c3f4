import CZlib

/// A running CRC-32, the one of gzip and PNG.
struct Checksum {
  private(set) var value: UInt32 = 0

  mutating func update(_ bytes: [UInt8]) {
    value = bytes.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return value }
      return UInt32(truncatingIfNeeded: crc32_z(UInt(value), base, $0.count))
    }
  }

  /// Eight hexadecimal digits.
  var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
