import Foundation
import LatheFiles
import SystemPackage

/// A page of text, tables, curves and pictures in one HTML file: nothing outside of it is referred
/// to, it needs no script, and it suits narrow and dark screens.
public struct HTMLPage {
  private let title: String
  private var body: [String] = []

  public init(title: String) { self.title = title }

  public mutating func heading(_ text: String, level: Int = 2) {
    body.append("<h\(level)>\(escaped(text))</h\(level)>")
  }

  public mutating func paragraph(_ text: String) {
    body.append("<p>\(escaped(text))</p>")
  }

  /// Lines as they are, such as a command.
  public mutating func code(_ text: String) {
    body.append("<pre>\(escaped(text))</pre>")
  }

  /// Rows of cells; the first cell of each row is its heading.
  public mutating func table(head: [String] = [], _ rows: [[String]]) {
    let top = head.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
    let lines = rows.map { row in
      let cells = row.dropFirst().map { "<td>\(escaped($0))</td>" }.joined()
      return "<tr><th scope=\"row\">\(escaped(row.first ?? ""))</th>\(cells)</tr>"
    }
    let heading = head.isEmpty ? "" : "<thead><tr>\(top)</tr></thead>\n"
    body.append(
      "<div class=\"wide\"><table>\n\(heading)<tbody>\n\(lines.joined(separator: "\n"))\n"
        + "</tbody></table></div>")
  }

  /// Curves with a legend; nothing if there are no points.
  public mutating func curves(
    _ title: String, _ series: [Chart.Series], xLabel: String, yScale: Chart.Scale = .linear
  ) {
    guard let svg = LineChart(series: series, xLabel: xLabel, yScale: yScale).svg else { return }
    let legend = series.enumerated().filter { !$1.points.isEmpty }.map { number, curve in
      "<span class=\"k\(number % 6)\">\(escaped(curve.name))</span>"
    }
    body.append(
      "<figure>\n\(svg)\n<figcaption>\(escaped(title)) \(legend.joined(separator: " "))"
        + "</figcaption></figure>")
  }

  /// A picture from a PNG file, within the page.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  public mutating func picture(_ png: FilePath, caption: String) throws(FileError) {
    let bytes = try FileSystem.contents(of: png)
    let data = Data(bytes).base64EncodedString()
    body.append(
      "<figure><img alt=\"\(escaped(caption))\" src=\"data:image/png;base64,\(data)\"/>"
        + "<figcaption>\(escaped(caption))</figcaption></figure>")
  }

  /// The whole file.
  public var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <title>\(escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    <h1>\(escaped(title))</h1>
    \(body.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  /// Text that a parser of HTML reads as it is, control characters shown.
  private func escaped(_ text: String) -> String { escapedForXML(text.printable) }

  private static let style = """
    :root { color-scheme: light dark; --text: #1c1e21; --back: #fff; --faint: #d9dde3;
      --c0: #1f5fbf; --c1: #c2410c; --c2: #15803d; --c3: #8b2fc9; --c4: #a16207; --c5: #0e7490; }
    @media (prefers-color-scheme: dark) { :root { --text: #e4e6ea; --back: #16181c;
      --faint: #3a3f47; --c0: #7fb0ff; --c1: #ff9d66; --c2: #6fd394; --c3: #cf9bff; --c4: #e8c15a;
      --c5: #5fd0e6; } }
    body { margin: 0; color: var(--text); background: var(--back);
      font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-size: 0.9rem; }
    th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; vertical-align: top;
      border-bottom: 1px solid var(--faint); }
    th { font-weight: 600; }
    pre { overflow-x: auto; font-size: 0.85rem; }
    figure { margin: 1rem 0; }
    figcaption { font-size: 0.9rem; }
    figcaption span { padding-left: 0.8rem; }
    img { max-width: 100%; background: #fff; }
    svg { width: 100%; max-width: 44rem; height: auto; }
    svg text { fill: var(--text); font: 11px system-ui, sans-serif; }
    @media (max-width: 40rem) { svg text { font-size: 18px; } }
    svg .g { stroke: var(--faint); }
    polyline { fill: none; stroke-width: 1.6; }
    .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
    .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
    .k0 { color: var(--c0); } .k1 { color: var(--c1); } .k2 { color: var(--c2); }
    .k3 { color: var(--c3); } .k4 { color: var(--c4); } .k5 { color: var(--c5); }
    """
}
