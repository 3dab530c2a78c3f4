import LatheFiles
import Glibc
import SystemPackage

/// What is known of a picture once it is packed.
struct PackSlot: Equatable {
  static let size = 41
  /// Whether it could be decoded; if not, its record is zero.
  var isIntact = false
  /// CRC-32 of its record.
  var checksum: UInt32 = 0
  /// CRC-32 of its file.
  var source: UInt32 = 0
  /// SHA-256 of its file; zeros if it could not be read.
  var digest = [UInt8](repeating: 0, count: 32)

  var bytes: [UInt8] {
    [isIntact ? 1 : 0] + checksum.littleEndianBytes + source.littleEndianBytes + digest
  }

  init() {}

  init(_ bytes: ArraySlice<UInt8>) {
    func number(_ offset: Int) -> UInt32 {
      bytes.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    isIntact = bytes.first == 1
    (checksum, source) = (number(1), number(5))
    digest = Array(bytes.dropFirst(9))
  }
}

/// Notes on the chunks of a packed file in the making.
///
/// Layout: `LATHEJN2`, the key of 32 bytes, who is packing in 88 bytes; a mark for each chunk,
/// CRC-32 of its slots and a 1 (8 bytes); the slots.
struct PackJournal {
  static let headerSize = 128
  static let markSize = 8
  private static let keySize = 40
  let path: FilePath
  let count: Int
  let key: [UInt8]

  var chunks: Int { (count + Packer.chunkSize - 1) / Packer.chunkSize }

  private var header: [UInt8] { Array("LATHEJN2".utf8) + key }
  private var slotStart: Int { Self.headerSize + Self.markSize * chunks }
  private var size: Int { slotStart + PackSlot.size * count }

  func isValid() throws(FileError) -> Bool {
    guard FileSystem.isFile(path) else { return false }
    let file = try OpenFile(reading: path)
    guard try file.size() == size else { return false }
    return try file.bytes(at: 0, count: Self.keySize) == header
  }

  /// Notes that this process is packing.
  func sign() throws(FileError) {
    let own = ProcessIdentity.own
    let text = "PID \(own.number) on \(own.host)"
    let room = Self.headerSize - Self.keySize
    let bytes = Array(text.utf8.prefix(room))
    let padding = [UInt8](repeating: 0, count: room - bytes.count)
    try OpenFile(writing: path).write(bytes + padding, at: Self.keySize)
  }

  /// Who is packing, as noted in the file, whatever is packed.
  var owner: String? {
    guard let file = try? OpenFile(reading: path),
      let bytes = try? file.bytes(at: 0, count: Self.headerSize),
      bytes.starts(with: header.prefix(8))
    else { return nil }
    let text = bytes.dropFirst(Self.keySize).prefix { $0 != 0 }
    return text.isEmpty ? nil : printable(Array(text))
  }

  func reset() throws(FileError) {
    let file = try OpenFile(writing: path)
    try file.truncate(to: 0)
    try file.write(header + [UInt8](repeating: 0, count: size - Self.keySize), at: 0)
  }

  func remove() { _ = path.withPlatformString { unlink($0) } }

  func opened() throws(FileError) -> OpenJournal {
    OpenJournal(
      file: try OpenFile(writing: path), count: count, chunks: chunks, slotStart: slotStart)
  }

  /// Pictures in chunks that are marked.
  func finishedPictures() throws(FileError) -> Int {
    let marks = try OpenFile(reading: path)
      .bytes(at: Self.headerSize, count: Self.markSize * chunks)
    return (0..<chunks).reduce(0) { sum, chunk in
      let isMarked = marks[Self.markSize * chunk + 4] == 1
      let size = min(Packer.chunkSize, count - chunk * Packer.chunkSize)
      return sum + (isMarked ? size : 0)
    }
  }
}

/// A journal opened for reading and writing.
struct OpenJournal: ~Copyable {
  let file: OpenFile
  let count: Int
  let chunks: Int
  fileprivate let slotStart: Int

  fileprivate init(file: consuming OpenFile, count: Int, chunks: Int, slotStart: Int) {
    self.file = file
    self.count = count
    self.chunks = chunks
    self.slotStart = slotStart
  }

  /// The pictures of a chunk.
  func range(of chunk: Int) -> Range<Int> {
    let start = chunk * Packer.chunkSize
    return start..<min(start + Packer.chunkSize, count)
  }

  func note(_ slots: [PackSlot], chunk: Int) throws(FileError) {
    let bytes = slots.flatMap(\.bytes)
    try file.write(bytes, at: slotStart + range(of: chunk).lowerBound * PackSlot.size)
    var checksum = Checksum()
    checksum.update(bytes)
    try file.write(
      checksum.value.littleEndianBytes + UInt32(1).littleEndianBytes,
      at: PackJournal.headerSize + PackJournal.markSize * chunk)
  }

  /// What was noted of a chunk's pictures; nil if it was not finished.
  func slots(of chunk: Int) throws(FileError) -> [PackSlot]? {
    let mark = try file.bytes(
      at: PackJournal.headerSize + PackJournal.markSize * chunk, count: PackJournal.markSize)
    let range = range(of: chunk)
    let bytes = try file.bytes(
      at: slotStart + range.lowerBound * PackSlot.size, count: range.count * PackSlot.size)
    var checksum = Checksum()
    checksum.update(bytes)
    guard mark == checksum.value.littleEndianBytes + UInt32(1).littleEndianBytes else { return nil }
    return range.indices.map {
      PackSlot(
        bytes[($0 - range.lowerBound) * PackSlot.size..<($0 - range.lowerBound + 1) * PackSlot.size]
      )
    }
  }

  /// What was noted of all pictures; every chunk must be finished.
  func allSlots() throws(FileError) -> [PackSlot] {
    var all: [PackSlot] = []
    for chunk in 0..<chunks {
      guard let slots = try slots(of: chunk) else {
        throw FileError(
          .damaged, "journal", path: file.path, expected: "chunk \(chunk) finished",
          found: "no mark of it")
      }
      all += slots
    }
    return all
  }
}
