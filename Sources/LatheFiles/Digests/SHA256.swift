/// A running SHA-256, FIPS 180-4: nobody can make two contents of one digest.
package struct SHA256 {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]
  /// Bytes that do not fill a block of 64 yet.
  private var rest: [UInt8] = []
  private var length = 0

  package init() {}

  /// The digest of bytes, 32 bytes.
  package static func digest(of bytes: [UInt8]) -> [UInt8] {
    var digest = SHA256()
    digest.update(bytes)
    return digest.value
  }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length += bytes.count
    var start = 0
    if !rest.isEmpty {
      start = min(64 - rest.count, bytes.count)
      rest += bytes[..<start]
      guard rest.count == 64 else { return }
      rest.withUnsafeBytes { add($0.baseAddress!, blocks: 1) }
      rest = []
    }
    let whole = (bytes.count - start) / 64
    if whole > 0 { add(bytes.baseAddress! + start, blocks: whole) }
    rest = Array(bytes[(start + 64 * whole)...])
  }

  /// A number, eight bytes.
  package mutating func update(_ number: Int) { update(number.littleEndianBytes) }

  /// The digest of all bytes so far, 32 bytes.
  package var value: [UInt8] {
    var last = self
    let zeros = (119 - rest.count) % 64
    last.update([0x80] + [UInt8](repeating: 0, count: zeros))
    last.update((UInt64(length) << 3).littleEndianBytes.reversed())
    return last.state.flatMap { $0.littleEndianBytes.reversed() }
  }

  /// 64 lower-case hexadecimal digits.
  package var hexadecimal: String { SHA256.hexadecimal(value) }

  /// Two lower-case hexadecimal digits a byte.
  package static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private mutating func add(_ start: UnsafeRawPointer, blocks: Int) {
    state.withUnsafeMutableBufferPointer { state in
      constants.withUnsafeBufferPointer { constants in
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
          for block in 0..<blocks { addBlock(start + 64 * block, state, constants, words) }
        }
      }
    }
  }
}

private func addBlock(
  _ block: UnsafeRawPointer, _ state: UnsafeMutableBufferPointer<UInt32>,
  _ constants: UnsafeBufferPointer<UInt32>, _ words: UnsafeMutableBufferPointer<UInt32>
) {
  for place in 0..<16 {
    words[place] = UInt32(
      bigEndian: block.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self))
  }
  for place in 16..<64 {
    let (x, y) = (words[place - 15], words[place - 2])
    let first = turned(x, 7) ^ turned(x, 18) ^ x >> 3
    let second = turned(y, 17) ^ turned(y, 19) ^ y >> 10
    words[place] = words[place - 16] &+ first &+ words[place - 7] &+ second
  }
  var (a, b, c, d) = (state[0], state[1], state[2], state[3])
  var (e, f, g, h) = (state[4], state[5], state[6], state[7])
  for place in 0..<64 {
    let choice = (e & f) ^ (~e & g)
    let majority = (a & b) ^ (a & c) ^ (b & c)
    let sum = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
    let one = h &+ sum &+ choice &+ constants[place] &+ words[place]
    let two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) &+ majority
    (h, g, f, e) = (g, f, e, d &+ one)
    (d, c, b, a) = (c, b, a, one &+ two)
  }
  state[0] &+= a
  state[1] &+= b
  state[2] &+= c
  state[3] &+= d
  state[4] &+= e
  state[5] &+= f
  state[6] &+= g
  state[7] &+= h
}

@inline(__always)
private func turned(_ value: UInt32, _ bits: UInt32) -> UInt32 {
  value >> bits | value << (32 - bits)
}

/// The first 32 bits of the fractions of the cube roots of the first 64 primes, section 4.2.2.
private let constants: [UInt32] = [
  0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
  0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
  0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
  0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
  0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
  0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
  0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
  0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
  0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
  0xc671_78f2,
]
