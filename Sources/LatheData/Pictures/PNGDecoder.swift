import LatheFiles
import CPictures
import SystemPackage

/// The upright picture in a PNG file's bytes, 8 bits a channel; see `cp_read_png` for its levels.
///
/// - Throws: `FileError` (damaged) if libpng refuses it or it is not what is required.
func decodePNG(
  _ bytes: UnsafeRawBufferPointer, of path: FilePath, requiring requirement: ImageRequirement
) throws(FileError) -> DecodedImage {
  guard let chunks = PNGChunks(bytes) else {
    var none: [UInt8] = []
    throw damaged(none.withUnsafeMutableBufferPointer { read(bytes, into: $0) }, path)
  }
  try requirement.check(
    height: chunks.height, width: chunks.width, in: chunks.orientation, isGrey: chunks.isGrey,
    of: path)
  let channels = chunks.isGrey ? 1 : 3
  var fault: String?
  let pixels = [UInt8](unsafeUninitializedCapacity: chunks.height * chunks.width * channels) {
    $0.initialize(repeating: 0)
    fault = read(bytes, into: $0)
    $1 = $0.count
  }
  if let fault { throw damaged(fault, path) }
  let stored = DecodedImage(
    height: chunks.height, width: chunks.width, channels: channels, pixels: pixels)
  return stored.upright(from: chunks.orientation)
}

/// Fills `pixels`; libpng's message if it refuses the file.
private func read(
  _ bytes: UnsafeRawBufferPointer, into pixels: UnsafeMutableBufferPointer<UInt8>
) -> String? {
  var message = [UInt8](repeating: 0, count: 200)
  let status = cp_read_png(
    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, pixels.baseAddress,
    pixels.count, &message, message.count)
  return status == 0 ? nil : String(decoding: message.prefix { $0 != 0 }, as: UTF8.self)
}

private func damaged(_ found: String?, _ path: FilePath) -> FileError {
  FileError(
    .damaged, "PNG", path: path, expected: "an intact picture", found: found ?? "no header")
}

/// What the chunks of a PNG say before any picture is decoded.
///
/// The format: W3C, "Portable Network Graphics", third edition, 5.3 and 11. The walk ends at the
/// first thing that is no chunk; what is damaged, libpng says.
private struct PNGChunks {
  let height: Int
  let width: Int
  let isGrey: Bool
  /// As the last EXIF chunk says.
  private(set) var orientation = Orientation.upright

  /// Nil if the header is not the first chunk.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.number(at: 12, count: 4) == Self.number("IHDR"),
      let width = bytes.number(at: 16, count: 4), let height = bytes.number(at: 20, count: 4),
      let colours = bytes.number(at: 25, count: 1)
    else { return nil }
    (self.height, self.width, isGrey) = (height, width, colours & 2 == 0)
    var place = 8
    while let length = bytes.number(at: place, count: 4),
      let name = bytes.number(at: place + 4, count: 4),
      let content = bytes.part(at: place + 8, count: length), name != Self.number("IEND")
    {
      if name == Self.number("eXIf") { orientation = Orientation(exif: content) }
      place += 12 + length
    }
  }

  private static func number(_ name: StaticString) -> Int {
    UnsafeRawBufferPointer(start: name.utf8Start, count: 4).number(at: 0, count: 4)!
  }
}
