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
  ///
  /// Concretely, `crc(a ‖ b) = crc(a) · x^(8 |b|) + crc(b)` modulo the CRC's polynomial.
  package mutating func append(_ checksums: some Sequence<UInt32>, eachOf length: Int) {
    let shift = Polynomial.power(8 * length)
    for checksum in checksums { value = Polynomial.product(value, shift) ^ checksum }
  }

  /// Eight lower-case hexadecimal digits.
  package var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

/// Polynomials over GF(2) modulo that of CRC-32. Bit 31 is the coefficient of 1, bit 0 that of x³¹.
///
/// zlib has functions for this from version 1.2.12 on only.
private enum Polynomial {
  private static let one: UInt32 = 1 << 31

  static func product(_ a: UInt32, _ b: UInt32) -> UInt32 {
    var (sum, multiple) = (UInt32(0), b)
    for bit in (0..<32).reversed() {
      if a >> bit & 1 == 1 { sum ^= multiple }
      multiple = timesX(multiple)
    }
    return sum
  }

  /// x³² is congruent to the polynomial's other terms.
  private static func timesX(_ a: UInt32) -> UInt32 { a & 1 == 1 ? a >> 1 ^ 0xedb8_8320 : a >> 1 }

  /// x to the power of `exponent`, by squares.
  static func power(_ exponent: Int) -> UInt32 {
    var (power, square, rest) = (one, timesX(one), exponent)
    while rest > 0 {
      if rest & 1 == 1 { power = product(power, square) }
      square = product(square, square)
      rest >>= 1
    }
    return power
  }
}
