import Foundation
import Testing

/// Lines end at 100 columns, in Swift and in Markdown.
@Suite struct WidthTests {
  private static let columns = 100

  @Test func swiftLines() throws {
    let files = try ["Sources", "Tests", "Examples"].flatMap(SourceFiles.all)
    #expect(files.count > 300)
    let found = files.flatMap { Self.wideLines($0.lines, of: $0.path) { _ in false } }
    #expect(found == [])
  }

  /// Tables, code and lines that a link makes long are left alone.
  @Test func markdownLines() throws {
    var isCode = false
    let found = try Documents.all().flatMap { document in
      let lines = document.text.split(separator: "\n", omittingEmptySubsequences: false)
      return Self.wideLines(lines, of: document.path) { line in
        let start = line.drop(while: \.isWhitespace)
        if start.hasPrefix("```") { isCode.toggle() }
        return isCode || start.hasPrefix("|") || line.contains("](") || line.contains("://")
      }
    }
    #expect(found == [])
  }

  @Test func aWideLineIsFound() {
    let wide = Substring(String(repeating: "é ", count: 51))
    let found = Self.wideLines(["narrow", wide, wide], of: "a.md") { $0 == "narrow" }
    #expect(found == ["a.md:2: 102 columns", "a.md:3: 102 columns"])
    #expect(Self.wideLines([wide], of: "a.md") { _ in true } == [])
  }

  /// A line of one word cannot be broken.
  private static func wideLines(
    _ lines: [Substring], of path: String, except isLeftAlone: (Substring) -> Bool
  ) -> [String] {
    lines.enumerated().compactMap { number, line in
      if isLeftAlone(line) || line.count <= columns || !line.contains(" ") { return nil }
      return "\(path):\(number + 1): \(line.count) columns"
    }
  }
}
