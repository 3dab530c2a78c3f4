import CZlib

/// CRC-32 of bytes (the polynomial of zlib and PNG) in eight lower-case hexadecimal digits.
package func checksum(_ bytes: UnsafeRawBufferPointer) -> String {
  let start = bytes.bindMemory(to: UInt8.self).baseAddress
  // A null pointer would ask zlib for the initial value, which is also the CRC of no bytes.
  let digits = String(crc32_z(0, start, bytes.count), radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
