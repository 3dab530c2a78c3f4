import Glibc

/// The MD5 digest, by which the published files of data sets are known: Rivest, RFC 1321, 1992.
package enum MD5 {
  /// ⌊2³² |sin(i + 1)|⌋, section 3.4.
  private static let sines = (0..<64).map {
    UInt32(truncatingIfNeeded: Int(abs(sin(Double($0 + 1))) * 0x1p32))
  }
  private static let shifts: [[UInt32]] = [
    [7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21],
  ]

  /// 32 hexadecimal digits.
  package static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
    var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
    let whole = bytes.count / 64 * 64
    for start in stride(from: 0, to: whole, by: 64) { add(bytes, at: start, to: &state) }
    let tail = padded(Array(bytes[whole...]), length: bytes.count)
    tail.withUnsafeBytes { tail in
      for start in stride(from: 0, to: tail.count, by: 64) { add(tail, at: start, to: &state) }
    }
    return state.flatMap(\.littleEndianBytes).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// A one bit, zeros, and the length in bits.
  private static func padded(_ rest: [UInt8], length: Int) -> [UInt8] {
    let zeros = (119 - rest.count) % 64
    return rest + [0x80] + [UInt8](repeating: 0, count: zeros)
      + (UInt64(length) &* 8).littleEndianBytes
  }

  private static func add(_ bytes: UnsafeRawBufferPointer, at start: Int, to state: inout [UInt32])
  {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for step in 0..<64 {
      let mixed: UInt32
      let word: Int
      switch step / 16 {
      case 0: (mixed, word) = (b & c | ~b & d, step)
      case 1: (mixed, word) = (d & b | ~d & c, (5 * step + 1) % 16)
      case 2: (mixed, word) = (b ^ c ^ d, (3 * step + 5) % 16)
      default: (mixed, word) = (c ^ (b | ~d), 7 * step % 16)
      }
      let value = UInt32(
        littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * word, as: UInt32.self))
      let sum = a &+ mixed &+ sines[step] &+ value
      let shift = shifts[step / 16][step % 4]
      (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
    }
    state = [state[0] &+ a, state[1] &+ b, state[2] &+ c, state[3] &+ d]
  }
}
