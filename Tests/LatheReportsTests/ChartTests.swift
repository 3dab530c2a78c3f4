import Foundation
import Glibc
import Testing

import LatheReports

@Suite struct ChartTests {
  private static let curve = Chart(
    title: "a \"curve\" \\ of\nsquares", xLabel: "x", yLabel: "x² in nats",
    .curves([Chart.Series("squares", points: (0..<20).map { (Double($0), Double($0 * $0)) })]))

  private static let hasGnuplot = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot")
    }

  @Test(.enabled("gnuplot is not installed") { hasGnuplot }) func drawsCurvesAsSVGAndPNG() throws {
    let folder = TemporaryFolder()
    try Self.curve.write(to: folder.path.appending("curve.svg"))
    let svg = try String(contentsOfFile: folder.path.appending("curve.svg").string, encoding: .utf8)
    for text in ["<svg", "a \"curve\" \\ of\\u{a}squares", "x² in nats", "squares"] {
      #expect(svg.contains(text), "\(text)")
    }
    try Self.curve.write(to: folder.path.appending("curve.png"))
    let picture = try Picture.read(folder.path.appending("curve.png"))
    #expect(picture.width == 900 && picture.height == 700)
    #expect(try folder.names == ["curve.png", "curve.svg"])
  }

  /// Two by two: the first row lies on top, red is above zero, blue below, white is zero.
  @Test(.enabled("gnuplot is not installed") { hasGnuplot }) func heatMapsHaveTheirRowsFromTheTop()
    throws
  {
    let chart = Chart(
      title: "", xLabel: "", yLabel: "", .heatMap(values: [1, 0, 0, -1], columns: 2, label: ""))
    let folder = TemporaryFolder()
    try chart.write(to: folder.path.appending("map.png"))
    let picture = try Picture.read(folder.path.appending("map.png"))
    let colours = (0..<picture.height).flatMap { row in
      (0..<picture.width).map { (row, $0, picture[row, $0]) }
    }
    let red = colours.filter { $0.2 == [0xB2, 0x18, 0x2B] }
    let blue = colours.filter { $0.2 == [0x21, 0x66, 0xAC] }
    func mean(_ values: [Int]) -> Double { Double(values.reduce(0, +)) / Double(values.count) }
    #expect(red.count > 10_000 && blue.count > 10_000)
    #expect(mean(red.map(\.0)) < mean(blue.map(\.0)) - 100)
  }

  @Test func refusesOtherFormats() {
    #expect(throws: ReportError.format(path: "chart.jpeg", found: "jpeg")) {
      try Self.curve.write(to: "chart.jpeg")
    }
  }

  @Test(.enabled("gnuplot is not installed") { hasGnuplot }) func passesOnWhatGnuplotSays() {
    #expect(throws: ReportError.self) { _ = try Gnuplot.run("plot $nothing\n", for: "x.png") }
  }

  @Test func scattersHaveAColourForEachClass() {
    let chart = Chart(
      title: "t", xLabel: "x", yLabel: "y",
      .scatter([.init("shirt", points: [(1, 2)]), .init("coat", points: [(3, 4)])]))
    #expect(chart.script(for: .png).contains("$series0 << EOD\n1.0 2.0\nEOD"))
    #expect(chart.script(for: .png).contains("lc rgb \"#ff7f0e\" title 'coat'"))
  }

  /// Legend and colour scale once, with the last panel.
  @Test func panelsHaveOneLegendAndOneScale() {
    let panels = ChartPanels(
      title: "both",
      [[1, 0, 0, -1], [3, 0, 0, 1]].map {
        Chart(
          title: "t", xLabel: "x", yLabel: "y",
          .heatMap(values: $0, columns: 2, label: "c", limit: Chart.limit(of: [$0, [3]])))
      })
    let script = panels.script(for: .png)
    #expect(script.components(separatedBy: "set cbrange [-3.0:3.0]").count == 3)
    #expect(script.components(separatedBy: "unset colorbox").count == 2)
    #expect(script.components(separatedBy: "set colorbox user").count == 2)
    #expect(script.contains("size 818,398"))
  }

  /// Letters to the left take the room of the longest line.
  @Test func rowsOfAGridHaveLabels() throws {
    let tiles = Tiles(count: 2, height: 1, width: 1, channels: 1, values: [1, 1])
    var grid = SampleGrid(columns: 1, magnification: 20)
    let plain = try grid.picture(of: tiles)
    grid.rowLabels = ["A", "B\nCD"]
    let labelled = try grid.picture(of: tiles)
    #expect(labelled.width == plain.width + 2 + 2 * 6 * 2 && labelled.height == plain.height)
    #expect(plain.pixels.allSatisfy { $0 == 255 } && labelled.pixels.contains(0))
  }

  @Test func gridsAsSVGHoldTheirPixelsAndTitle() throws {
    let folder = TemporaryFolder()
    let tiles = Tiles(count: 1, height: 1, width: 2, channels: 1, values: [0, 1])
    let grid = SampleGrid(columns: 1, magnification: 1, title: "a < b")
    try grid.write(tiles, to: folder.path.appending("grid.svg"))
    let svg = try String(contentsOfFile: folder.path.appending("grid.svg").string, encoding: .utf8)
    #expect(svg.contains(">a &lt; b</text>"))
    let data = try #require(
      svg.components(separatedBy: "base64,").last?.split(separator: "\"").first)
    let png = folder.path.appending("inner.png")
    try #require(Data(base64Encoded: String(data))).write(to: URL(fileURLWithPath: png.string))
    var untitled = grid
    untitled.title = nil
    #expect(try Picture.read(png) == untitled.picture(of: tiles))
  }
}
