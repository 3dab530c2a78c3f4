import LatheFiles

/// An entry of a zip archive, whatever stands in it.
struct ZipEntry {
  var name: [UInt8]
  var flags = 0
  var method = 0
  var content: [UInt8] = [1]
  var unicodePath: [UInt8]?
  /// What the directory says in place of the entry's own place in the file.
  var offset: Int?
  /// What the directory says of the expanded size.
  var size: Int?

  fileprivate var extra: [UInt8] {
    guard let unicodePath else { return [] }
    let field = [1] + littleEndian(crc32(name), 4) + unicodePath
    return littleEndian(0x7075, 2) + littleEndian(field.count, 2) + field
  }
}

/// The bytes of a zip archive of such entries.
func zip(_ entries: [ZipEntry]) -> [UInt8] {
  var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
  for entry in entries {
    let place = bytes.count
    let size = entry.size ?? entry.content.count
    let fields =
      littleEndian(20, 2) + littleEndian(entry.flags, 2) + littleEndian(entry.method, 2)
      + littleEndian(0, 4) + littleEndian(crc32(entry.content), 4)
      + littleEndian(entry.content.count, 4) + littleEndian(size, 4)
      + littleEndian(entry.name.count, 2)
    bytes += littleEndian(0x0403_4b50, 4) + fields + [0, 0] + entry.name + entry.content
    directory += littleEndian(0x0201_4b50, 4) + [20, 0] + fields
    directory += littleEndian(entry.extra.count, 2) + [UInt8](repeating: 0, count: 10)
    directory += littleEndian(entry.offset ?? place, 4) + entry.name + entry.extra
  }
  let start = bytes.count
  bytes += directory + littleEndian(0x0605_4b50, 4) + [0, 0, 0, 0]
  bytes += littleEndian(entries.count, 2) + littleEndian(entries.count, 2)
  return bytes + littleEndian(directory.count, 4) + littleEndian(start, 4) + [0, 0]
}
