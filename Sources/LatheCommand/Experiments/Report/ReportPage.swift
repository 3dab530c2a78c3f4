import Foundation
import LatheFiles
import LatheReports
import SystemPackage

/// The parts of a report in their order, as HTML or as Markdown.
struct ReportPage {
  enum Block {
    case heading(String, level: Int)
    case paragraph(String)
    case table(head: [String], rows: [[String]])
    case curves(String, [Chart.Series], xLabel: String, yScale: Chart.Scale = .linear)
    case picture(FilePath, caption: String)
  }

  let title: String
  private(set) var blocks: [Block] = []

  init(title: String) { self.title = title }

  mutating func add(_ block: Block) {
    if case .curves(let title, let series, _, _) = block, series.allSatisfy(\.points.isEmpty) {
      return blocks.append(.paragraph("\(title): nothing to draw yet."))
    }
    blocks.append(block)
  }

  /// - Throws: `FileError` if a picture cannot be read.
  func html() throws(FileError) -> HTMLPage {
    var page = HTMLPage(title: title)
    for block in blocks {
      switch block {
      case .heading(let text, let level): page.heading(text, level: level)
      case .paragraph(let text): page.paragraph(text)
      case .table(let head, let rows): page.table(head: head, rows)
      case .curves(let title, let series, let label, let scale):
        page.curves(title, series, xLabel: label, yScale: scale)
      case .picture(let path, let caption): try page.picture(path, caption: caption)
      }
    }
    return page
  }

  /// Markdown; curves and pictures are files beside it, `pictures/…`.
  ///
  /// - Throws: an error if a picture cannot be written.
  func markdown(in folder: FilePath) throws -> String {
    var number = 0
    func file(_ ending: String) throws -> (path: FilePath, link: String) {
      number += 1
      let pictures = folder.appending("pictures")
      try FileSystem.makeFolders(pictures)
      let name = String(format: "%03d.%@", number, ending)
      return (pictures.appending(name), "pictures/\(name)")
    }
    let parts = try blocks.map { block -> String in
      switch block {
      case .heading(let text, let level): return String(repeating: "#", count: level) + " \(text)"
      case .paragraph(let text): return wrapped(text, width: 100, indent: 0)
      case .table(let head, let rows): return Self.table(head, rows)
      case .curves(let title, let series, let label, let scale):
        let place = try file("png")
        var chart = Chart(title: title, xLabel: label, yLabel: "", .curves(series))
        chart.yScale = scale
        try chart.write(to: place.path)
        return "![\(title)](\(place.link))"
      case .picture(let path, let caption):
        let place = try file("png")
        try FileSystem.replace(place.path, with: try FileSystem.contents(of: path))
        return "![\(caption)](\(place.link))"
      }
    }
    return (["# \(title)"] + parts).joined(separator: "\n\n") + "\n"
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    let cell = { (text: String) in text.replacing("|", with: "\\|") }
    let line = { (cells: [String]) in "| " + cells.map(cell).joined(separator: " | ") + " |" }
    let rule = ["---"] + head.dropFirst().map { _ in "--:" }
    return ([line(head), line(rule)] + rows.map(line)).joined(separator: "\n")
  }
}
