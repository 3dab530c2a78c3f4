import LatheData
import LatheFiles
import Testing

@Suite struct PNGDecoderTests {
  private static let formats = PNGColours.allCases.flatMap { colours in
    colours.depths.map { (colours, $0) }
  }
  private static let palette = (0..<3 * 150).map { UInt8(truncatingIfNeeded: 37 * $0 + 11) }

  private func fixture(_ colours: PNGColours, depth: Int, height: Int = 11, width: Int = 13)
    -> PNGFixture
  {
    let random = CounterRandom(seed: UInt64(depth)).stream(colours.rawValue)
    let bound = colours == .palette ? min(1 << depth, 150) : 1 << depth
    let count = height * width * colours.samplesPerPixel
    var fixture = PNGFixture(
      (0..<count).map { random.integer($0, below: bound) }, height: height, width: width,
      colours: colours, depth: depth)
    if colours == .palette {
      fixture.before = [("PLTE", Array(Self.palette.prefix(3 * min(1 << depth, 150))))]
    }
    return fixture
  }

  /// The levels that the samples mean: colours as stored, whatever the alpha.
  private func levels(_ fixture: PNGFixture) -> [UInt8] {
    let count = fixture.colours.samplesPerPixel
    return fixture.samples.enumerated().flatMap { place, sample -> [UInt8] in
      if fixture.colours == .palette {
        return Array(Self.palette[3 * sample..<3 * sample + 3])
      }
      let isAlpha = [2, 4].contains(count) && place % count == count - 1
      let largest = 1 << fixture.depth - 1
      return isAlpha ? [] : [UInt8((sample * 255 + largest / 2) / largest)]
    }
  }

  @Test(arguments: formats, [false, true])
  func levelsAreThoseOfTheFile(_ format: (PNGColours, Int), isInterlaced: Bool) throws {
    var fixture = fixture(format.0, depth: format.1)
    fixture.isInterlaced = isInterlaced
    let image = try decode(fixture.bytes)
    #expect((image.height, image.width) == (11, 13))
    #expect(image.channels == (format.0 == .grey || format.0 == .greyAlpha ? 1 : 3))
    #expect(image.pixels == levels(fixture))
  }

  @Test func sixteenBitsAreDividedBy257() throws {
    let samples = Array(0..<65_536)
    let image = try decode(
      PNGFixture(samples, height: 256, width: 256, colours: .grey, depth: 16).bytes)
    #expect(image.pixels == samples.map { UInt8((Double($0) / 257).rounded()) })
    #expect(image.pixels[32_768] == 128)
  }

  /// gAMA of 1, sRGB, cHRM, sBIT, a background, a transparent level, all of them.
  private static let chunks: [PNGFixture.Chunk] = [
    ("gAMA", bigEndian(100_000, 4)), ("gAMA", bigEndian(22_000, 4)), ("sRGB", [0]),
    ("cHRM", (0..<8).flatMap { bigEndian(30_000 + 1000 * $0, 4) }),
    ("iCCP", Array("x\0\0".utf8) + zlibStream([1, 2, 3])), ("pHYs", bigEndian(1, 9)),
    ("acTL", bigEndian(1, 4) + bigEndian(0, 4)),
  ]

  @Test(arguments: formats, chunks.indices)
  func otherChunksChangeNoLevel(_ format: (PNGColours, Int), chunk: Int) throws {
    var fixture = fixture(format.0, depth: format.1)
    fixture.before.insert(Self.chunks[chunk], at: 0)
    let transparent: [UInt8] =
      switch format.0 {
      case .grey: bigEndian(fixture.samples[0], 2)
      case .colour: fixture.samples[0..<3].flatMap { bigEndian($0, 2) }
      default: [0, 128]
      }
    if format.0.rawValue < 4 { fixture.before.append(("tRNS", transparent)) }
    #expect(try decode(fixture.bytes).pixels == levels(fixture))
  }

  /// A colour that the palette lacks is black, as in Pillow.
  @Test func indicesBeyondThePalette() throws {
    var fixture = PNGFixture([0, 1, 2, 200], height: 1, width: 4, colours: .palette, depth: 8)
    fixture.before = [("PLTE", [10, 20, 30, 40, 50, 60])]
    #expect(try decode(fixture.bytes).pixels == [10, 20, 30, 40, 50, 60, 0, 0, 0, 0, 0, 0])
  }

  @Test func textIsNotExpanded() throws {
    var fixture = fixture(.colour, depth: 8)
    let text = Array("comment\0\0".utf8) + zlibStream([UInt8](repeating: 32, count: 1 << 24))
    fixture.before = (0..<100).map { _ in ("zTXt", text) }
    fixture.after = [("iTXt", Array("a\0\u{1}\0\0\0".utf8) + text.dropFirst(9))]
    #expect(try decode(fixture.bytes).pixels == levels(fixture))
  }

  @Test func surplusDataIsNotExpanded() throws {
    var fixture = fixture(.grey, depth: 8)
    fixture.surplus = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    #expect(decodingError(fixture.bytes)?.found == "more data than pixels")
    fixture.surplus = [1, 2, 3]
    #expect(try decode(fixture.bytes).pixels == levels(fixture))
  }

  /// Some programs announce a smaller window of the compressed data than they use.
  @Test func windowsAreAsLargeAsTheyMust() throws {
    let fixture = fixture(.colour, depth: 8, height: 100, width: 100)
    var repeated = fixture
    repeated.samples = Array(fixture.samples[..<9000]) + fixture.samples[..<21_000]
    repeated.announcesSmallWindow = true
    #expect(try decode(repeated.bytes).pixels == levels(repeated))
  }

  @Test func damage() {
    let whole = fixture(.colour, depth: 8).bytes
    for count in [5, 20, 33, 60, whole.count / 2] {
      #expect(decodingError(Array(whole.prefix(count)))?.what == "PNG", "\(count) bytes")
    }
    var wrong = whole
    wrong[60] ^= 1
    #expect(decodingError(wrong)?.what == "PNG")
  }

  /// As a transfer in text mode leaves it, and as Xcode writes it.
  @Test func otherStarts() {
    let whole = fixture(.colour, depth: 8).bytes
    let text = decodingError(Array(whole[..<4]) + [0x0a, 0x1a, 0x0a] + whole[8...])
    #expect(text?.found == "PNG file corrupted by ASCII conversion")
    let chunk = PNGFixture.encoded(("CgBI", [0x50, 0, 0x20, 2]))
    let other = decodingError(Array(whole[..<8]) + chunk + whole[8...])
    #expect(other?.found == "CgBI: unhandled critical chunk")
  }

  @Test(arguments: [(70_000, 1), (1, 70_000), (9000, 9000), (1 << 31 - 1, 1 << 31 - 1), (0, 5)])
  func sizesAreCheckedBeforeMemoryIsTaken(height: Int, width: Int) {
    var bytes = PNGFixture([0, 0, 0], height: 1, width: 1).bytes
    bytes.replaceSubrange(16..<24, with: bigEndian(width, 4) + bigEndian(height, 4))
    #expect(decodingError(bytes)?.what == "image size")
    #expect(decodingError(bytes)?.found == "\(height) rows of \(width)")
  }
}
