import LatheFiles
import SystemPackage

/// Charts of one kind side by side in one picture, each under its own title, with one legend or one
/// colour scale for all.
///
/// The scale is the last chart's, so heat maps have one `limit`, and shaded points one range of
/// values.
public struct ChartPanels: Sendable {
  /// A line above all of them.
  public var title: String
  public var panels: [Chart]
  /// Whether axes have numbers.
  public var hasTics: Bool

  public init(title: String, _ panels: [Chart], hasTics: Bool = true) {
    require(!panels.isEmpty, "ChartPanels: no charts")
    (self.title, self.panels, self.hasTics) = (title, panels, hasTics)
  }

  /// Draws the picture: SVG if the path ends in `.svg`, else PNG. Whole or not at all.
  ///
  /// - Throws: as ``Chart/write(to:)``.
  public func write(to path: FilePath) throws {
    let format = try FigureFormat(of: path)
    let drawing = try Gnuplot.run(script(for: format), for: path)
    try FileSystem.replace(path, with: drawing, isSynced: false)
  }

  private var columns: Int {
    panels.count <= 3 ? panels.count : Int(Double(panels.count).squareRoot().rounded(.up))
  }

  private var rows: Int { (panels.count + columns - 1) / columns }

  /// Where everything lies, in pixels; gnuplot wants shares of the page.
  private var page: Page { Page(columns: columns, rows: rows, hasTics: hasTics) }

  package func script(for format: FigureFormat) -> String {
    let size = "noenhanced size \(page.width),\(page.height) font \"sans,11\""
    let terminal =
      format == .png ? "pngcairo \(size)" : "svg \(size) background \"white\""
    let parts = panels.enumerated().map { number, chart in
      "reset\n" + page.place(number)
        + chart.script(for: format, style: style(isLast: number == panels.count - 1))
    }
    return "set terminal \(terminal)\nset multiplot title \(quoted(title, format))\n"
      + parts.joined() + "unset multiplot\n"
  }

  /// The legend and the colour scale stand to the right of all panels, drawn with the last one.
  private func style(isLast: Bool) -> String {
    let tics = hasTics ? "" : "unset xtics\nunset ytics\n"
    return tics + (isLast ? page.scale : "unset colorbox\nunset key\n")
  }

  private struct Page {
    let columns, rows: Int
    let hasTics: Bool
    private let side = 270, top = 66, right = 130
    private var gap: Int { hasTics ? 74 : 24 }
    private var vertical: Int { hasTics ? 86 : 40 }
    private var bottom: Int { hasTics ? 62 : 24 }

    var width: Int { gap + columns * (side + gap) - gap + right }
    var height: Int { top + rows * side + (rows - 1) * vertical + bottom }

    /// The frame of a panel: its margins as shares of the page, from below.
    func place(_ number: Int) -> String {
      let (row, column) = number.quotientAndRemainder(dividingBy: columns)
      let left = gap + column * (side + gap)
      let upper = height - top - row * (side + vertical)
      return "set lmargin at screen \(x(left))\nset rmargin at screen \(x(left + side))\n"
        + "set tmargin at screen \(y(upper))\nset bmargin at screen \(y(upper - side))\n"
    }

    var scale: String {
      "set key at screen \(x(width - right + 8)),\(y(height - top)) left top Left reverse\n"
        + "set colorbox user origin \(x(width - right + 16)),\(y(height - top - side)) "
        + "size \(x(18)),\(y(side))\n"
    }

    private func x(_ pixels: Int) -> Double { Double(pixels) / Double(width) }
    private func y(_ pixels: Int) -> Double { Double(pixels) / Double(height) }
  }
}
