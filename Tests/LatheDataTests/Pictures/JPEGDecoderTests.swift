import LatheData
import LatheFiles
import Testing

@Suite struct JPEGDecoderTests {
  private static let whole = jpeg(picture(height: 20, width: 31), height: 20, width: 31)

  /// The JPEG with another number `offset` bytes after the start of its frame.
  private func changed(_ bytes: [UInt8], frame offset: Int, to value: UInt8) throws -> [UInt8] {
    let frame = try #require(bytes.indices.first { bytes[$0] == 0xff && bytes[$0 + 1] == 0xc0 })
    var bytes = bytes
    bytes[frame + offset] = value
    return bytes
  }

  @Test(arguments: [
    (0xc9, "Huffman coding", "arithmetic coding"), (0xca, "Huffman coding", "arithmetic coding"),
    (0xc3, "baseline or progressive coding", "lossless coding"),
    (0xc5, "baseline or progressive coding", "lossless or hierarchical coding"),
  ])
  func codings(marker: Int, expected: String, found: String) throws {
    let error = decodingError(try changed(Self.whole, frame: 1, to: UInt8(marker)))
    #expect((error?.expected, error?.found) == (expected, found))
  }

  @Test func samples() throws {
    let deep = decodingError(try changed(Self.whole, frame: 4, to: 12))
    #expect((deep?.expected, deep?.found) == ("8 bits a sample", "12"))
    let two = decodingError(try changed(Self.whole, frame: 9, to: 2))
    #expect((two?.expected, two?.found) == ("1, 3 or 4 components", "2"))
  }

  /// Adobe's inverted inks: red is (1 − black)(1 − cyan).
  @Test(arguments: [
    [200, 100, 50, 180], [255, 255, 255, 255], [255, 0, 128, 255], [9, 9, 9, 0],
  ])
  func inks(_ inks: [UInt8]) throws {
    let pixels = (0..<16 * 16).flatMap { _ in inks }
    let image = try decode(jpeg(pixels, height: 16, width: 16, channels: 4))
    #expect(image.channels == 3)
    for (place, level) in image.pixels.enumerated() {
      let exact = Double(inks[place % 3]) * Double(inks[3]) / 255
      #expect(abs(Double(level) - exact) <= 3)
    }
  }

  /// Some cameras and programs write 0 or 2 where JFIF wants 1.
  @Test(arguments: [0, 2, 255]) func revisionsOfJFIF(revision: UInt8) throws {
    var bytes = Self.whole
    #expect(Array(bytes[6..<11]) == Array("JFIF\0".utf8))
    bytes[11] = revision
    #expect(try decode(bytes) == decode(Self.whole))
  }

  @Test func scansAreBounded() {
    let progressive = jpeg(
      picture(height: 20, width: 31), height: 20, width: 31, progressive: true)
    let scan: [UInt8] = [0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 0x55, 0xff, 0, 0x55]
    let scans = (0..<500).flatMap { _ in scan }
    let error = decodingError(progressive.dropLast(2) + scans + [0xff, 0xd9])
    #expect(error?.expected == "at most 500 scans of 20 rows of 31 pixels")
  }

  @Test func scansTimesPixelsAreBounded() throws {
    let size = bigEndian(8192, 2) + bigEndian(8192, 2)
    let frame: [UInt8] = [0xff, 0xc2, 0, 11, 8] + size + [1, 1, 0x11, 0]
    let scan: [UInt8] = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0x0d]
    let scans = (0..<33).flatMap { _ in scan }
    let error = decodingError([0xff, 0xd8] + frame + scans + [0xff, 0xd9])
    #expect(error?.expected == "at most 32 scans of 8192 rows of 8192 pixels")
    #expect(error?.found == "33")
  }

  /// Hundreds of scans without data: the first one is damage enough.
  @Test func theFirstWarningEndsTheWork() {
    let progressive = jpeg(
      picture(height: 2000, width: 2000), height: 2000, width: 2000, progressive: true)
    let start = progressive.indices.first {
      progressive[$0] == 0xff && progressive[$0 + 1] == 0xda
    }!
    let scan: [UInt8] = [0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0]
    let bytes = progressive[..<start] + (0..<400).flatMap { _ in scan } + [0xff, 0xd9]
    let begin = ContinuousClock.now
    #expect(decodingError(Array(bytes))?.found?.contains("premature end") == true)
    #expect(ContinuousClock.now - begin < .seconds(5))
  }
}
