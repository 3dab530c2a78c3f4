/// A stored member of a zip archive of any size, dated 1980-01-01 so that equal content gives equal
/// bytes.
///
/// The format: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10, with the 64-bit
/// fields of 4.5.3 and 4.3.14.
struct ZipMember {
  let name: String
  let size: Int
  /// CRC-32 of the content.
  let checksum: UInt32
  /// Where the content begins.
  let start: Int

  var headerStart: Int { start - Self.headerSize(of: name) }

  /// Bytes before the content.
  static func headerSize(of name: String) -> Int { 30 + name.utf8.count + 20 }

  /// What stands before the content.
  var header: [UInt8] {
    var bytes = LittleEndianBytes()
    bytes.append(UInt32(0x0403_4b50))
    appendFields(to: &bytes)
    bytes.append(UInt16(20))  // bytes of the extra field
    bytes.values += name.utf8
    appendSizes(to: &bytes, withOffset: false)
    return bytes.values
  }

  /// What stands behind all members.
  static func directory(of members: [ZipMember], at start: Int) -> [UInt8] {
    var bytes = LittleEndianBytes()
    for member in members { member.appendEntry(to: &bytes) }
    let size = bytes.values.count
    // The end of the directory, in 64 bits.
    bytes.append(UInt32(0x0606_4b50))
    bytes.append(UInt64(44))  // bytes that follow
    bytes.append(UInt16(45))
    bytes.append(UInt16(45))
    bytes.append(UInt64(0))  // disk numbers
    for number in [members.count, members.count, size, start] { bytes.append(UInt64(number)) }
    // Where that is.
    bytes.append(UInt32(0x0706_4b50))
    bytes.append(UInt32(0))
    bytes.append(UInt64(start + size))
    bytes.append(UInt32(1))
    // The end of the directory, which says to look there.
    bytes.append(UInt32(0x0605_4b50))
    bytes.append(UInt32(0))
    bytes.append(UInt16(truncatingIfNeeded: members.count))
    bytes.append(UInt16(truncatingIfNeeded: members.count))
    bytes.append(UInt32.max)
    bytes.append(UInt32.max)
    bytes.append(UInt16(0))  // no comment
    return bytes.values
  }

  private func appendEntry(to bytes: inout LittleEndianBytes) {
    bytes.append(UInt32(0x0201_4b50))
    bytes.append(UInt16(45))  // made by version 4.5
    appendFields(to: &bytes)
    bytes.append(UInt16(28))  // bytes of the extra field
    // No comment, first disk, no attributes.
    bytes.values += [UInt8](repeating: 0, count: 10)
    bytes.append(UInt32.max)  // the offset is in the extra field
    bytes.values += name.utf8
    appendSizes(to: &bytes, withOffset: true)
  }

  /// What header and directory both say: version, flags, method, time, sizes.
  private func appendFields(to bytes: inout LittleEndianBytes) {
    bytes.append(UInt16(45))  // needs version 4.5
    bytes.append(UInt16(0x0800))  // the name is UTF-8
    bytes.append(UInt16(0))  // stored
    bytes.append(UInt16(0))  // midnight
    bytes.append(UInt16(0x21))  // 1980-01-01
    bytes.append(checksum)
    bytes.append(UInt32.max)  // sizes are in the extra field
    bytes.append(UInt32.max)
    bytes.append(UInt16(name.utf8.count))
  }

  private func appendSizes(to bytes: inout LittleEndianBytes, withOffset: Bool) {
    bytes.append(UInt16(1))
    bytes.append(UInt16(withOffset ? 24 : 16))
    bytes.append(UInt64(size))
    bytes.append(UInt64(size))
    if withOffset { bytes.append(UInt64(headerStart)) }
  }
}

private struct LittleEndianBytes {
  var values: [UInt8] = []

  mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { values += $0 }
  }
}
