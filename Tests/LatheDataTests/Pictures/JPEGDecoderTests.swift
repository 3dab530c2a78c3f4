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

  /// Cameras and scanners leave bytes between segments; a whole file has none after its scan.
  @Test(arguments: [[0], [0xff, 0], [1, 2, 3, 0xff, 0xff], [UInt8](repeating: 0, count: 5000)])
  func strayBytes(_ bytes: [UInt8]) throws {
    let whole = Self.whole.inserting(0xfe, [1, 2])
    #expect(try decode(whole.prefix(2) + bytes + whole.dropFirst(2)) == decode(whole))
    #expect(try decode(whole.prefix(8) + bytes + whole.dropFirst(8)) == decode(whole))
    let both = whole.prefix(2) + bytes + whole[2..<8] + bytes + whole.dropFirst(8)
    #expect(try decode(Array(both)) == decode(whole))
    let late = Array(whole[..<(whole.count - 2)]) + [1, 2, 3, 0xff, 0xd9]
    #expect(decodingError(late)?.found?.contains("extraneous") == true)
  }

  /// A JPEG of 21 × 35 pixels of the middle level: every block is two zero bits.
  private func flat(_ factors: [UInt8]) -> [UInt8] {
    let components: [UInt8] = factors.indices.flatMap { [UInt8($0 + 1), factors[$0], 0] }
    let selectors: [UInt8] = factors.indices.flatMap { [UInt8($0 + 1), 0] }
    let table: [UInt8] = [1] + [UInt8](repeating: 0, count: 15) + [0]
    let scan: [UInt8] = [UInt8(factors.count)] + selectors + [0, 63, 0]
    let frame: [UInt8] = [8, 0, 21, 0, 35, UInt8(factors.count)] + components
    return [0xff, 0xd8].inserting(0xda, scan)
      .inserting(0xc0, frame)
      .inserting(0xc4, [0x10] + table).inserting(0xc4, [0] + table)
      .inserting(0xdb, [0] + [UInt8](repeating: 1, count: 64))
      + [UInt8](repeating: 0, count: (2 * blocks(factors) + 7) / 8) + [0xff, 0xd9]
  }

  /// The blocks of its scan: whole units of all components, or of the only one as it is.
  private func blocks(_ factors: [UInt8]) -> Int {
    if factors.count == 1 { return 3 * 5 }
    let (across, down) = (factors.map { Int($0 >> 4) }, factors.map { Int($0 & 15) })
    let units = ((35 - 1) / (8 * across.max()!) + 1) * ((21 - 1) / (8 * down.max()!) + 1)
    return units * zip(across, down).map(*).reduce(0, +)
  }

  /// TurboJPEG has no name for most of these; some are in ImageNet.
  @Test(arguments: [
    [0x22], [0x21, 0x21, 0x21], [0x22, 0x12, 0x12], [0x22, 0x21, 0x21], [0x11, 0x22, 0x22],
    [0x42, 0x11, 0x11], [0x22, 0x11, 0x11, 0x11], [0x11, 0x21, 0x21, 0x11],
  ])
  func subsampling(_ factors: [UInt8]) throws {
    let image = try decode(flat(factors))
    #expect((image.height, image.width) == (21, 35))
    #expect(Set(image.pixels) == [factors.count == 4 ? 64 : 128])
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
