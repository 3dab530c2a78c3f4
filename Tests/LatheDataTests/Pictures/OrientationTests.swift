import LatheData
import LatheFiles
import Testing

@Suite struct OrientationTests {
  private enum Side { case top, right, bottom, left }

  /// Where the first stored row and the first stored column are seen, for 1 to 8: EXIF's table.
  private static let sides: [(row: Side, column: Side)] = [
    (.top, .left), (.top, .right), (.bottom, .right), (.bottom, .left),
    (.left, .top), (.right, .top), (.right, .bottom), (.left, .bottom),
  ]

  /// The picture as it is seen, of one that is stored.
  private func seen(_ stored: DecodedImage, _ orientation: Int) -> DecodedImage {
    let sides = Self.sides[orientation - 1]
    let isTurned = orientation >= 5
    let (height, width) =
      isTurned ? (stored.width, stored.height) : (stored.height, stored.width)
    var pixels = [UInt8](repeating: 0, count: stored.pixels.count)
    for i in 0..<stored.height {
      for j in 0..<stored.width {
        var (row, column) = (0, 0)
        for (side, distance) in [(sides.row, i), (sides.column, j)] {
          switch side {
          case .top: row = distance
          case .bottom: row = height - 1 - distance
          case .left: column = distance
          case .right: column = width - 1 - distance
          }
        }
        for channel in 0..<stored.channels {
          pixels[(row * width + column) * stored.channels + channel] =
            stored.pixels[(i * stored.width + j) * stored.channels + channel]
        }
      }
    }
    return DecodedImage(
      height: height, width: width, channels: stored.channels, pixels: pixels)
  }

  @Test(arguments: 1...8, [false, true]) func pngs(orientation: Int, isBigEndian: Bool) throws {
    var fixture = PNGFixture(picture(height: 70, width: 131), height: 70, width: 131)
    let stored = try decode(fixture.bytes)
    let upright = seen(stored, orientation)
    let block = exif(orientation, isBigEndian: isBigEndian)
    fixture.before = [("eXIf", block)]
    #expect(try decode(fixture.bytes) == upright)
    (fixture.before, fixture.after) = ([], [("eXIf", Array("Exif\0\0".utf8) + block)])
    #expect(try decode(fixture.bytes) == upright)
  }

  @Test(arguments: 1...8, [1, 3]) func jpegs(orientation: Int, channels: Int) throws {
    let bytes = jpeg(
      picture(height: 20, width: 31, channels: channels), height: 20, width: 31,
      channels: channels)
    let upright = seen(try decode(bytes), orientation)
    for isBigEndian in [false, true] {
      for isLong in [false, true] {
        let block = exif(orientation, isBigEndian: isBigEndian, isLong: isLong)
        #expect(try decode(bytes.inserting(0xe1, Array("Exif\0\0".utf8) + block)) == upright)
      }
    }
  }

  /// Another APP1, as XMP, is no EXIF; the first EXIF block counts.
  @Test func otherSegments() throws {
    let bytes = jpeg(picture(height: 20, width: 31), height: 20, width: 31)
    let block = Array("Exif\0\0".utf8) + exif(6, isBigEndian: true)
    let several = bytes.inserting(0xe1, Array("Exif\0\0".utf8) + exif(3, isBigEndian: true))
      .inserting(0xe1, block).inserting(0xe1, Array("http://ns.adobe.com/xap/1.0/\0".utf8))
    #expect(try decode(several) == seen(try decode(bytes), 6))
  }

  @Test func requiredSizesAreThoseSeen() throws {
    let bytes = jpeg(picture(height: 20, width: 31), height: 20, width: 31)
      .inserting(0xe1, Array("Exif\0\0".utf8) + exif(6, isBigEndian: true))
    var requirement = ImageRequirement()
    requirement.size = (height: 31, width: 20)
    #expect(try decode(bytes, requiring: requirement).height == 31)
    requirement.size = (height: 20, width: 31)
    #expect(decodingError(bytes, requirement)?.found == "31 rows of 20")
  }

  private static let unusable: [[UInt8]] = {
    let whole = exif(6, isBigEndian: true)
    func changed(_ place: Int, _ value: UInt8) -> [UInt8] {
      var bytes = whole
      bytes[place] = value
      return bytes
    }
    return [
      [], Array("MM".utf8), exif(0, isBigEndian: true), exif(9, isBigEndian: false),
      exif(65_536 + 6, isBigEndian: true, isLong: true),
      changed(0, 0), changed(3, 43), changed(4, 255), changed(7, 200), changed(9, 0),
      changed(25, 5), changed(29, 2), Array(whole.prefix(whole.count - 7)),
    ]
  }()

  /// An unknown value, a damaged header, an entry of another type or outside of the block.
  @Test(arguments: unusable) func damagedBlocksTurnNothing(_ block: [UInt8]) throws {
    var fixture = PNGFixture(picture(height: 5, width: 7), height: 5, width: 7)
    let stored = try decode(fixture.bytes)
    fixture.before = [("eXIf", block)]
    #expect(try decode(fixture.bytes) == stored)
  }
}
