/// A zip archive of files as they are, under 4 GiB, dated 1980-01-01 so that equal content gives
/// equal bytes.
///
/// The format: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10.
func storedArchive(_ files: [(name: String, content: [UInt8])]) -> [UInt8] {
  var archive = Bytes()
  var directory = Bytes()
  for (name, content) in files {
    let offset = archive.values.count
    let fields = fieldsOfEntry(name, content)
    archive.append(UInt32(0x0403_4b50))
    archive.values += fields + name.utf8 + content
    directory.append(UInt32(0x0201_4b50))
    directory.append(UInt16(20))  // made by version 2.0
    directory.values += fields
    // No comment, first disk, no attributes.
    directory.values += [UInt8](repeating: 0, count: 10)
    directory.append(size(offset))
    directory.values += name.utf8
  }
  let start = archive.values.count
  archive.values += directory.values
  archive.append(UInt32(0x0605_4b50))
  archive.append(UInt32(0))  // disk numbers
  archive.append(UInt16(files.count))
  archive.append(UInt16(files.count))
  archive.append(size(directory.values.count))
  archive.append(size(start))
  archive.append(UInt16(0))  // no comment
  return archive.values
}

/// What the local header and the directory both say: versions, flags, method, time, sizes.
private func fieldsOfEntry(_ name: String, _ content: [UInt8]) -> [UInt8] {
  var checksum = Checksum()
  checksum.update(content)
  var fields = Bytes()
  fields.append(UInt16(20))  // needs version 2.0
  fields.append(UInt16(0))  // no flags
  fields.append(UInt16(0))  // stored
  fields.append(UInt16(0))  // midnight
  fields.append(UInt16(0x21))  // 1980-01-01
  fields.append(checksum.value)
  fields.append(size(content.count))
  fields.append(size(content.count))
  fields.append(UInt16(name.utf8.count))
  fields.append(UInt16(0))  // no extra field
  return fields.values
}

private func size(_ value: Int) -> UInt32 {
  require(value < UInt32.max, "zip archive: \(value) bytes, expected less than 4 GiB")
  return UInt32(value)
}

private struct Bytes {
  var values: [UInt8] = []

  mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { values += $0 }
  }
}
