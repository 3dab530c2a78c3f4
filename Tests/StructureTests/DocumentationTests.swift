import Foundation
import Testing

/// The documents: links lead somewhere, the index is complete, articles name symbols that exist.
@Suite struct DocumentationTests {
  @Test func linksResolve() throws {
    let documents = try Documents.all()
    #expect(documents.count > 15)
    #expect(documents.flatMap(\.links).count > 50)
    #expect(documents.flatMap(Documents.brokenLinks) == [])
  }

  @Test func everyPageIsInTheIndex() throws {
    let documents = try Documents.all()
    let index = try #require(documents.first { $0.path == "docs/README.md" })
    let linked = Set(index.links.map { "docs/" + $0.prefix { $0 != "#" } })
    let pages = documents.map(\.path).filter { $0.hasPrefix("docs/") && $0 != index.path }
    #expect(pages.filter { !linked.contains($0) } == [])
  }

  @Test(arguments: [
    "nowhere.md", "glossary.md#no-such-heading", "../Sources/Nowhere", "#no-such-heading",
  ])
  func aBrokenLinkIsFound(_ link: String) {
    let document = Documents.Document(path: "docs/x.md", text: "# A heading\n\n[text](\(link))\n")
    #expect(Documents.brokenLinks(document) == ["docs/x.md: \(link)"])
  }

  @Test(arguments: ["https://www.swift.org", "#a-heading-one", "glossary.md", "../Sources"])
  func aGoodLinkIsPassedOver(_ link: String) {
    let document = Documents.Document(
      path: "docs/x.md", text: "# A `heading`, one\n\n[text](\(link))\n")
    #expect(Documents.brokenLinks(document) == [])
  }

  /// Types that an article links to as ``Name`` are declared in its module.
  @Test func articlesNameSymbolsOfTheirModule() throws {
    let sources = Dictionary(grouping: try SourceFiles.all(), by: \.module)
    let modules = sources.keys.filter { $0.hasPrefix("Lathe") }.sorted()
    #expect(modules.count == 12)
    for module in modules {
      let declared = sources[module]!.flatMap(\.lines).compactMap(Documents.declaredName)
      let article = try Documents.document("Sources/\(module)/\(module).docc/\(module).md")
      #expect(article.symbols.count > 1)
      #expect(article.symbols.subtracting(declared + [module]) == [], "\(article.path)")
    }
  }

  @Test func aDeclarationIsRecognised() {
    #expect(Documents.declaredName("public struct Tensor {") == "Tensor")
    #expect(Documents.declaredName("public final class Trainer {") == "Trainer")
    #expect(Documents.declaredName("public func require(") == "require")
    #expect(Documents.declaredName("@propertyWrapper public struct Setting<V>") == "Setting")
    #expect(Documents.declaredName("  public let tensor: Tensor") == nil)
  }
}

/// Markdown files as text.
enum Documents {
  struct Document {
    /// The path below the package's folder.
    let path: String
    let text: String

    /// Targets of links and pictures, code left out.
    var links: [String] { prose.matches(of: #/\]\(([^()\s]+)\)/#).map { String($0.1) } }

    /// The first part of each ``symbol``.
    var symbols: Set<String> {
      Set(prose.matches(of: #/``(\w+)[^`]*``/#).map { String($0.1) })
    }

    /// Anchors of the headings, as GitHub makes them.
    var anchors: Set<String> {
      Set(
        prose.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
          line.drop { $0 == "#" || $0 == " " }.lowercased()
            .filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
            .replacingOccurrences(of: " ", with: "-")
        })
    }

    /// The text without code blocks.
    private var prose: String { text.replacing(#/(?s)```.*?```/#, with: "") }
  }

  static func document(_ path: String) throws -> Document {
    let url = SourceFiles.root.appendingPathComponent(path)
    return Document(path: path, text: try String(contentsOf: url, encoding: .utf8))
  }

  /// The pages of `docs` and those beside it.
  static func all() throws -> [Document] {
    let folder = SourceFiles.root.appendingPathComponent("docs")
    let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    return try (["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + pages).map(document)
  }

  /// Relative links of a document that lead to no file or no heading, as "path: link".
  static func brokenLinks(_ document: Document) -> [String] {
    let folder = URL(fileURLWithPath: document.path, relativeTo: SourceFiles.root)
      .deletingLastPathComponent()
    return document.links.filter { link in
      guard !link.contains("://"), !link.hasPrefix("mailto:") else { return false }
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let target = parts[0].isEmpty ? nil : folder.appendingPathComponent(String(parts[0]))
      if let target, !FileManager.default.fileExists(atPath: target.path) { return true }
      guard parts.count == 2 else { return false }
      let text = target.map { try? String(contentsOf: $0, encoding: .utf8) } ?? document.text
      return !Document(path: "", text: text ?? "").anchors.contains(String(parts[1]))
    }.map { "\(document.path): \($0)" }
  }

  /// The public symbol that a line of code declares outside of a type; nil if it declares none.
  static func declaredName(_ line: Substring) -> String? {
    guard line.hasPrefix("public ") || line.hasPrefix("@propertyWrapper public ") else {
      return nil
    }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "typealias"]
    let words = line.split(separator: " ")
    guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count else {
      return nil
    }
    return String(words[kind + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }
}
