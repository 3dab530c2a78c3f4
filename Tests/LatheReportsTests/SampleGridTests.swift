import LatheReports
import Testing

@Suite struct SampleGridTests {
  /// Images of one pixel with the given values.
  private func dots(_ values: [Float]) -> Tiles {
    Tiles(count: values.count, height: 1, width: 1, channels: 1, values: values)
  }

  /// Two columns, three images of 1 × 2 pixels doubled: where each pixel comes to lie.
  @Test func layout() throws {
    let tiles = Tiles(
      count: 3, height: 1, width: 2, channels: 1,
      values: [10, 20, 30, 40, 50, 60].map { $0 / 255 })
    let picture = try SampleGrid(columns: 2, magnification: 2).picture(of: tiles)
    #expect(picture.width == 2 + 4 + 2 + 4 + 2 && picture.height == 2 + 2 + 2 + 2 + 2)
    let blank = [UInt8](repeating: 255, count: 14)
    let gap: [UInt8] = [255, 255]
    let first = gap + [10, 10, 20, 20] + gap + [30, 30, 40, 40] + gap
    let second = gap + [50, 50, 60, 60] + gap + [255, 255, 255, 255] + gap
    let rows = [blank, blank, first, first, blank, blank, second, second, blank, blank]
    #expect(picture.pixels == rows.flatMap { $0 })
  }

  @Test func coloursStayTogether() throws {
    let tiles = Tiles(
      count: 1, height: 2, width: 1, channels: 3, values: [1, 2, 3, 4, 5, 6].map { $0 / 255 })
    let picture = try SampleGrid(columns: 1, magnification: 3).picture(of: tiles)
    #expect(picture.width == 7 && picture.height == 10 && picture.channels == 3)
    #expect(picture[4, 4] == [1, 2, 3] && picture[5, 2] == [4, 5, 6])
    #expect(picture[1, 2] == [255, 255, 255] && picture[8, 2] == [255, 255, 255])
  }

  @Test(arguments: [(28, 2), (32, 2), (64, 1), (48, 1), (47, 2), (8, 6), (128, 1)])
  func enlargesSmallImages(side: Int, magnification: Int) throws {
    let tiles = Tiles(
      count: 1, height: side, width: side, channels: 1,
      values: [Float](repeating: 0, count: side * side))
    let picture = try SampleGrid(columns: 1).picture(of: tiles)
    #expect(picture.width == side * magnification + 4)
  }

  @Test func clipsAndRounds() throws {
    let values: [Float] = [-0.5, 0, 0.4 / 255, 0.6 / 255, 127.4 / 255, 127.6 / 255, 1, 1.5, 1e30]
    let picture = try SampleGrid(columns: 9, magnification: 1).picture(of: dots(values))
    let found = (0..<9).map { picture[2, 2 + 3 * $0][0] }
    #expect(found == [0, 0, 0, 1, 127, 128, 255, 255, 255])
  }

  /// Three pairs in two columns: originals 1 2 / 3, reconstructions 11 12 / 13 below them.
  @Test func reconstructionsLieBelowTheirOriginals() throws {
    let picture = try SampleGrid(columns: 2, magnification: 1).picture(
      originals: dots([1, 2, 3].map { $0 / 255 }),
      reconstructions: dots([11, 12, 13].map { $0 / 255 }))
    let cells = (0..<4).map { row in (0..<2).map { picture[2 + 3 * row, 2 + 3 * $0][0] } }
    #expect(cells == [[1, 2], [11, 12], [3, 255], [13, 255]])
    #expect(picture.height == 14 && picture.width == 8)
  }

  @Test func namesTheFirstValueThatIsNotFinite() {
    var values = [Float](repeating: 0, count: 2 * 3 * 4 * 3)
    values[((1 * 3 + 2) * 4 + 3) * 3 + 1] = .nan
    values[values.count - 1] = .infinity
    let tiles = Tiles(count: 2, height: 3, width: 4, channels: 3, values: values)
    let expected = ReportError.nonFinite(image: 1, row: 2, column: 3, channel: 1, value: "nan")
    #expect(throws: expected) { try SampleGrid(columns: 2).picture(of: tiles) }
    #expect(
      "\(expected)" == "image 1, row 2, column 3, channel 1: expected a finite value, found nan")
  }

  /// "T-" in dots of two pixels above the image, dot by dot.
  @Test func titleIsDrawnInTheHeader() throws {
    let tiles = Tiles(
      count: 1, height: 1, width: 30, channels: 1, values: [Float](repeating: 0.2, count: 30))
    let grid = SampleGrid(columns: 1, magnification: 1, title: "t-")
    let picture = try grid.picture(of: tiles)
    #expect(picture.height == 2 + 14 + 2 + 1 + 2)
    #expect(picture[18, 2] == [51] && picture[17, 2] == [255])
    let dots = (0..<7).map { row in
      String((0..<11).map { picture[2 + 2 * row, 2 + 2 * $0] == [0] ? "#" : "." })
    }
    let bar = "..#........"
    #expect(dots == ["#####......", bar, bar, "..#...#####", bar, bar, bar])
  }

  @Test func aLongTitleIsSmallerAndCutOff() throws {
    let tiles = Tiles(
      count: 1, height: 1, width: 30, channels: 3, values: [Float](repeating: 0, count: 90))
    var grid = SampleGrid(columns: 1, magnification: 1, title: "TTTTTTTTTTTT")
    grid.background = 0
    let picture = try grid.picture(of: tiles)
    #expect(picture.width == 34 && picture.height == 2 + 7 + 2 + 1 + 2)
    // The sixth letter begins at column 32: two dots of its bar are inside.
    #expect(picture[2, 32] == [255, 255, 255] && picture[2, 33] == [255, 255, 255])
    #expect(picture[2, 31] == [0, 0, 0])
  }

  @Test func sizesThatDifferTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = try SampleGrid(columns: 1).picture(
        originals: Tiles(count: 1, height: 1, width: 1, channels: 1, values: [0]),
        reconstructions: Tiles(count: 2, height: 1, width: 1, channels: 1, values: [0, 0]))
    }
  }
}
