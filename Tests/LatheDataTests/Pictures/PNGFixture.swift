import CZlib
import Testing

/// The colour types of PNG by their numbers.
enum PNGColours: Int, CaseIterable, CustomTestStringConvertible {
  case grey = 0, colour = 2, palette = 3, greyAlpha = 4, colourAlpha = 6

  var samplesPerPixel: Int { [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][rawValue]! }

  var depths: [Int] {
    switch self {
    case .grey: [1, 2, 4, 8, 16]
    case .palette: [1, 2, 4, 8]
    default: [8, 16]
    }
  }

  var testDescription: String { "colour type \(rawValue)" }
}

/// A PNG that is written chunk by chunk, without libpng.
struct PNGFixture {
  typealias Chunk = (name: String, content: [UInt8])

  var height: Int
  var width: Int
  var colours = PNGColours.colour
  var depth = 8
  var isInterlaced = false
  /// `[height, width, samplesPerPixel]`.
  var samples: [Int]
  /// Before and after the pixels.
  var before: [Chunk] = []
  var after: [Chunk] = []
  /// What follows the rows in the compressed data.
  var surplus: [UInt8] = []
  /// Whether the compressed data are said to need a window of 256 bytes only.
  var announcesSmallWindow = false

  /// A picture of three colours with 8 bits.
  init(_ pixels: [UInt8], height: Int, width: Int) {
    (self.height, self.width, samples) = (height, width, pixels.map(Int.init))
  }

  init(_ samples: [Int], height: Int, width: Int, colours: PNGColours, depth: Int) {
    (self.height, self.width, self.samples) = (height, width, samples)
    (self.colours, self.depth) = (colours, depth)
  }

  var bytes: [UInt8] {
    var data = zlibStream(rows + surplus)
    if announcesSmallWindow { data.replaceSubrange(0..<2, with: [0x08, 0x1d]) }
    let chunks = [("IHDR", header)] + before + [("IDAT", data)] + after + [("IEND", [])]
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunks.flatMap(Self.encoded)
  }

  static func encoded(_ chunk: Chunk) -> [UInt8] {
    let named = Array(chunk.name.utf8) + chunk.content
    return bigEndian(chunk.content.count, 4) + named + bigEndian(crc32(named), 4)
  }

  private var header: [UInt8] {
    bigEndian(width, 4) + bigEndian(height, 4)
      + [UInt8(depth), UInt8(colours.rawValue), 0, 0, isInterlaced ? 1 : 0]
  }

  /// Rows without filter, pass by pass.
  private var rows: [UInt8] {
    let passes =
      isInterlaced
      ? [
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
        (1, 0, 2, 1),
      ]
      : [(0, 0, 1, 1)]
    return passes.flatMap { top, left, down, right in
      stride(from: top, to: left < width ? height : top, by: down).flatMap { row in
        [0] + packed(stride(from: left, to: width, by: right).flatMap { pixel(row, $0) })
      }
    }
  }

  private func pixel(_ row: Int, _ column: Int) -> ArraySlice<Int> {
    let count = colours.samplesPerPixel
    return samples[(row * width + column) * count..<(row * width + column + 1) * count]
  }

  private func packed(_ samples: [Int]) -> [UInt8] {
    if depth >= 8 { return samples.flatMap { bigEndian($0, depth / 8) } }
    let perByte = 8 / depth
    return stride(from: 0, to: samples.count, by: perByte).map { start in
      (0..<perByte).reduce(0) {
        $0 << depth | (start + $1 < samples.count ? UInt8(samples[start + $1]) : 0)
      }
    }
  }
}

/// Big-endian bytes of a number.
func bigEndian(_ value: Int, _ count: Int) -> [UInt8] { littleEndian(value, count).reversed() }

/// zlib's container.
func zlibStream(_ bytes: [UInt8]) -> [UInt8] {
  [0x78, 0x01] + gzip(bytes).dropFirst(10).dropLast(8)
    + bigEndian(Int(adler32(1, bytes, UInt32(bytes.count))), 4)
}

/// A TIFF header with one directory: some other tag, then Orientation.
func exif(_ orientation: Int, isBigEndian: Bool, isLong: Bool = false) -> [UInt8] {
  func number(_ value: Int, _ count: Int) -> [UInt8] {
    isBigEndian ? bigEndian(value, count) : littleEndian(value, count)
  }
  let value = isLong ? number(orientation, 4) : number(orientation, 2) + [0, 0]
  return Array((isBigEndian ? "MM" : "II").utf8) + number(42, 2) + number(8, 4) + number(2, 2)
    + number(0x0100, 2) + number(4, 2) + number(1, 4) + number(640, 4)
    + number(0x0112, 2) + number(isLong ? 4 : 3, 2) + number(1, 4) + value + number(0, 4)
}

extension Array where Element == UInt8 {
  /// A JPEG with a segment before all others.
  func inserting(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
    Array(self[..<2]) + [0xff, marker] + bigEndian(content.count + 2, 2) + content + self[2...]
  }
}
