import CTurboJPEG
import LatheFiles
import LatheData
import Foundation
import SystemPackage

/// A picture that differs from place to place, smooth enough that JPEG keeps it.
func picture(height: Int, width: Int, channels: Int = 3, seed: Int = 0) -> [UInt8] {
  (0..<height * width * channels).map { place in
    let (pixel, channel) = place.quotientAndRemainder(dividingBy: channels)
    let (row, column) = pixel.quotientAndRemainder(dividingBy: width)
    let wave = sin(Double(row + 7 * seed) / 11) + cos(Double(column) / (9 + Double(channel)))
    return UInt8(127.5 + 60 * wave)
  }
}

/// The bytes of a JPEG file of a picture, `[height, width, channels]`; 4 channels are cyan,
/// magenta, yellow, black.
func jpeg(
  _ pixels: [UInt8], height: Int, width: Int, channels: Int = 3, progressive: Bool = false
) -> [UInt8] {
  let handle = tjInitCompress()!
  defer { tjDestroy(handle) }
  let format = [1: TJPF_GRAY, 3: TJPF_RGB, 4: TJPF_CMYK][channels]!
  let subsampling = channels == 1 ? TJSAMP_GRAY : TJSAMP_444
  var buffer: UnsafeMutablePointer<UInt8>?
  var size: UInt = 0
  let status = tjCompress2(
    handle, pixels, Int32(width), 0, Int32(height), Int32(format.rawValue), &buffer, &size,
    Int32(subsampling.rawValue), 90, progressive ? TJFLAG_PROGRESSIVE : 0)
  precondition(status == 0, String(cString: tjGetErrorStr2(handle)))
  defer { tjFree(buffer) }
  return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
}

/// A JPEG of CelebA's size.
func face(_ seed: Int) -> [UInt8] {
  jpeg(picture(height: 218, width: 178, seed: seed), height: 218, width: 178)
}

/// Little-endian bytes of a number.
func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func crc32(_ bytes: [UInt8]) -> Int {
  var checksum = Checksum()
  checksum.update(bytes)
  return Int(checksum.value)
}

/// The bytes of a zip archive; `deflated` as zlib makes it, `wide` with Zip64 records throughout.
func zip(_ files: [(name: String, content: [UInt8])], deflated: Bool = false, wide: Bool = false)
  -> [UInt8]
{
  var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
  for (name, content) in files {
    let packed = deflated ? Array(gzip(content).dropFirst(10).dropLast(8)) : content
    let sizes = littleEndian(packed.count, 4) + littleEndian(content.count, 4)
    let common =
      littleEndian(deflated ? 8 : 0, 2) + littleEndian(0, 4) + littleEndian(crc32(content), 4)
    let offset = bytes.count
    bytes +=
      littleEndian(0x0403_4b50, 4) + littleEndian(20, 2) + littleEndian(0, 2) + common + sizes
    bytes += littleEndian(name.utf8.count, 2) + littleEndian(0, 2) + Array(name.utf8) + packed
    let extra =
      wide
      ? littleEndian(1, 2) + littleEndian(24, 2) + littleEndian(content.count, 8)
        + littleEndian(packed.count, 8) + littleEndian(offset, 8) : []
    directory += littleEndian(0x0201_4b50, 4) + littleEndian(20, 2) + littleEndian(20, 2)
    directory += littleEndian(0, 2) + common
    directory += wide ? [UInt8](repeating: 255, count: 8) : sizes
    directory += littleEndian(name.utf8.count, 2) + littleEndian(extra.count, 2)
    directory += [UInt8](repeating: 0, count: 10)
    directory += wide ? [255, 255, 255, 255] : littleEndian(offset, 4)
    directory += Array(name.utf8) + extra
  }
  let start = bytes.count
  bytes += directory
  if wide {
    let end = bytes.count
    bytes += littleEndian(0x0606_4b50, 4) + littleEndian(44, 8) + littleEndian(45, 2)
    bytes += littleEndian(45, 2) + littleEndian(0, 8) + littleEndian(files.count, 8)
    bytes +=
      littleEndian(files.count, 8) + littleEndian(directory.count, 8) + littleEndian(start, 8)
    bytes += littleEndian(0x0706_4b50, 4) + littleEndian(0, 4) + littleEndian(end, 8)
    bytes += littleEndian(1, 4)
  }
  bytes += littleEndian(0x0605_4b50, 4) + littleEndian(0, 4) + littleEndian(files.count, 2)
  bytes += littleEndian(files.count, 2)
  bytes +=
    wide
    ? [UInt8](repeating: 255, count: 8) : littleEndian(directory.count, 4) + littleEndian(start, 4)
  return bytes + littleEndian(0, 2)
}

/// The bytes of a ustar archive.
func tar(_ files: [(name: String, content: [UInt8])]) -> [UInt8] {
  func field(_ text: String, _ size: Int) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: size - text.utf8.count)
  }
  var bytes: [UInt8] = []
  for (name, content) in files {
    var header = field(name, 100) + field("0000644", 8) + field("0000000", 8) + field("0000000", 8)
    header += field(String(content.count, radix: 8), 12) + field("0", 12)
    header += [UInt8](repeating: 32, count: 8) + [UInt8(ascii: "0")] + field("", 100)
    header += field("ustar", 6) + Array("00".utf8)
    header += [UInt8](repeating: 0, count: 512 - header.count)
    let sum = header.reduce(0) { $0 + Int($1) }
    let digits = String(sum, radix: 8)
    let padded = String(repeating: "0", count: 6 - digits.count) + digits
    header.replaceSubrange(148..<156, with: Array(padded.utf8) + [0, 32])
    bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }
  return bytes + [UInt8](repeating: 0, count: 1024)
}

/// The bytes of a CIFAR-10 batch with the labels 0, 1, …, 9, 0, ….
func cifarBatch(records: Int, seed: Int = 0) -> [UInt8] {
  var bytes: [UInt8] = []
  for record in 0..<records {
    bytes.append(UInt8(record % 10))
    for place in 0..<3072 {
      bytes.append(UInt8(truncatingIfNeeded: place / 5 + 31 * record + seed))
    }
  }
  return bytes
}

/// A folder in CelebA's layout with `count` pictures of our own making.
struct CelebAFolder {
  static let attributes = [
    "Bald", "Male", "Smiling", "Young", "Hat", "Tie", "Ring", "Goatee", "Bangs",
  ]
  let folder: TemporaryFolder
  var path: FilePath { folder.path }

  /// Picture i belongs to split i mod 3, has attribute a if (i + a) is divisible by 3, and shows
  /// person i / 2.
  init(count: Int, in folder: TemporaryFolder = TemporaryFolder(), zipped: Bool = false) throws {
    self.folder = folder
    if zipped {
      try folder.write(
        zip((0..<count).map { ("img_align_celeba/\(Self.name($0))", face($0)) }, deflated: true),
        to: "img_align_celeba.zip")
    } else {
      for index in 0..<count {
        try folder.write(face(index), to: "img_align_celeba/\(Self.name(index))")
      }
    }
    try write(partition: (0..<count).map { "\(Self.name($0)) \($0 % 3)" })
    try write(attributes: (0..<count).map(Self.row), announced: count)
    try write(identities: (0..<count).map { "\(Self.name($0)) \($0 / 2)" })
  }

  static func name(_ index: Int) -> String { String(format: "%06d.jpg", index + 1) }

  static func row(_ index: Int) -> String {
    name(index) + attributes.indices.map { (index + $0) % 3 == 0 ? "  1" : " -1" }.joined()
  }

  func write(partition rows: [String]) throws { try write(rows, to: "list_eval_partition.txt") }

  func write(identities rows: [String]) throws { try write(rows, to: "identity_CelebA.txt") }

  func write(attributes rows: [String], announced: Int) throws {
    try write(
      ["\(announced)", Self.attributes.joined(separator: " ") + " "] + rows,
      to: "list_attr_celeba.txt")
  }

  private func write(_ rows: [String], to name: String) throws {
    try folder.write(Array(rows.map { $0 + "\r\n" }.joined().utf8), to: name)
  }
}

/// Packs pictures in one go.
func pack(
  _ pictures: ImageListing, as preparation: Preparation, to path: FilePath,
  skipsDamaged: Bool = false
) throws(FileError) -> (file: PackedFile, skipped: [FileError]) {
  let packer = Packer(pictures, as: preparation, to: path, skipsDamaged: skipsDamaged)
  _ = try packer.begin()
  try packer.pack(part: 0, of: 1)
  return try packer.finish()
}
