import Foundation
import FoundationXML
import LatheFiles
import LatheReports
import SystemPackage
import Testing

/// Names of classes, attributes and folders are other people's: in no figure are they more than
/// text.
@Suite struct NameTests {
  /// Random text of scalars that some reader of scripts or markup takes for more than text.
  private static func name(_ random: inout SystemRandomNumberGenerator) -> String {
    let pieces = [
      "'", "''", "\"", "`touch FILE`", "$(touch FILE)", "\n", "\r\n", "\r", "\u{0}", "\u{1B}[31m",
      "\\", "\\n", "\\'", "system('touch FILE')", "\n! touch FILE\n", "EOD\n", "\u{2028}", "\u{85}",
      "&", "&lt;", "<", ">", "]]>", "<script>", "@x", "%s", "{/Bold x}", "_", "^", "~", "#", ";",
      ", 'a' with lines", "\u{FFFF}", "\u{FFFE}", "\u{202E}", "é", "e\u{301}", "日", "👩‍🔬", " ", "a",
    ]
    let count = Int.random(in: 0...8, using: &random)
    return (0..<count).map { _ in pieces.randomElement(using: &random)! }.joined()
  }

  private static func charts(_ name: String) -> [Chart] {
    let series = [Chart.Series(name, points: [(0, 1)]), Chart.Series("b", points: [(2, 3)])]
    return [
      Chart(title: name, xLabel: name, yLabel: name, .curves(series)),
      Chart(title: name, xLabel: name, yLabel: name, .scatter(series)),
      Chart(
        title: name, xLabel: name, yLabel: name,
        .heatMap(values: [1, 2, -1, 0], columns: 2, label: name)),
    ]
  }

  /// The script with one quote for each quoted text, as gnuplot reads it.
  private static func skeleton(_ script: String) -> String? {
    var text = String.UnicodeScalarView()
    var quote: Unicode.Scalar?
    for scalar in script.unicodeScalars {
      if scalar.value < 0x20 && scalar != "\n" || (scalar == "\n" && quote != nil) { return nil }
      if quote == nil, scalar == "'" || scalar == "\"" {
        quote = scalar
      } else if scalar == quote {
        quote = nil
        text.append("\"")
      } else if quote == nil {
        text.append(scalar)
      }
    }
    return quote == nil ? String(text).replacing(#/"+/#, with: "\"") : nil
  }

  @Test func tenThousandNamesAreTextInEveryScript() {
    let empty = Self.charts("a").map { Self.skeleton($0.script(for: .svg)) }
    var random = SystemRandomNumberGenerator()
    let wrong = (0..<10_000).map { _ in Self.name(&random) + "a" }.filter { name in
      Self.charts(name).map { Self.skeleton($0.script(for: .svg)) } != empty
    }
    #expect(wrong == [])
  }

  /// The checker finds a name that is quoted as it was once: between double quotes.
  @Test func aNameThatEndsItsQuotesIsFound() {
    func script(_ name: String) -> String { "plot x title '\(name)'\n" }
    #expect(Self.skeleton(script("a\"`b")) == Self.skeleton(script("a")))
    #expect(Self.skeleton(script("a'; system 'x")) != Self.skeleton(script("a")))
    #expect(Self.skeleton(script("a\r\nb")) == nil)
  }

  @Test func tenThousandNamesAreTextInGridsAndTheirSVG() throws {
    let folder = TemporaryFolder()
    let tiles = Tiles(count: 1, height: 1, width: 2, channels: 1, values: [0, 1])
    var random = SystemRandomNumberGenerator()
    let path = folder.path.appending("grid.svg")
    for _ in 0..<10_000 {
      let name = Self.name(&random)
      var grid = SampleGrid(columns: 1, title: name)
      grid.captions = [name]
      _ = try grid.picture(of: tiles)
      try grid.write(tiles, to: path)
      #expect(try Self.texts("title", of: path) == [name.printable], "\(name.debugDescription)")
    }
  }

  /// What gnuplot makes of some of them is XML, and no command is run.
  @Test(.enabled("gnuplot is not installed") { Self.hasGnuplot }) func gnuplotRunsNoName() throws {
    let folder = TemporaryFolder()
    let mark = folder.path.appending("mark").string
    var random = SystemRandomNumberGenerator()
    for _ in 0..<100 {
      let name = Self.name(&random).replacing("FILE", with: mark)
      for chart in Self.charts(name) {
        let path = folder.path.appending("chart.svg")
        try chart.write(to: path)
        let shown = name.printable.replacing("'", with: "’")
        #expect(try Self.texts("text", of: path).contains(shown), "\(name.debugDescription)")
      }
    }
    #expect(try folder.names == ["chart.svg"])
  }

  private static let hasGnuplot = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot")
    }

  /// The texts of an SVG file's elements of that name; it must be well-formed XML.
  private static func texts(_ element: String, of path: FilePath) throws -> [String] {
    let parser = XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: path.string)))
    let reader = TextReader(element)
    parser.delegate = reader
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    return reader.texts
  }
}

private final class TextReader: NSObject, XMLParserDelegate {
  private let element: String
  private var text: String?
  private(set) var texts: [String] = []

  init(_ element: String) { self.element = element }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    if name == element { text = "" }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text? += string }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    guard name == element, let text else { return }
    texts.append(text)
    self.text = nil
  }
}
