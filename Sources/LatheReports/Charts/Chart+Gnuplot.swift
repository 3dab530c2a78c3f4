import LatheFiles
import SystemPackage

extension Chart {
  /// Draws the chart: SVG if the path ends in `.svg`, else PNG. Whole or not at all.
  ///
  /// - Throws: `ReportError`: another ending, no gnuplot, a complaint of gnuplot's; `FileError` if
  ///   the file cannot be written.
  public func write(to path: FilePath) throws {
    let terminal: String
    let format = try FigureFormat(of: path)
    switch format {
    case .png: terminal = "pngcairo noenhanced size 900,700 font \"sans,12\""
    case .svg: terminal = "svg noenhanced size 900,700 font \"sans,14\" background \"white\""
    }
    let drawing = try Gnuplot.run("set terminal \(terminal)\n" + script(for: format), for: path)
    try FileSystem.replace(path, with: drawing, isSynced: false)
  }

  /// Colours that stay apart for ten classes.
  private static let colours = [
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f",
    "#bcbd22", "#17becf",
  ]

  /// The commands that draw it. `style` says where the legend stands; unless given, as in a chart
  /// alone.
  package func script(
    for format: FigureFormat, style: String = "set key outside right top\n"
  ) -> String {
    let frame = """
      set title \(quoted(title, format))
      set xlabel \(quoted(xLabel, format))
      set ylabel \(quoted(yLabel, format))
      set tics out nomirror
      \(xRange.map { "set xrange [\($0.lowerBound):\($0.upperBound)]" } ?? "")
      \(yRange.map { "set yrange [\($0.lowerBound):\($0.upperBound)]" } ?? "")
      \(yScale == .logarithmic ? "set logscale y" : "")

      """
    switch content {
    case .curves(let series):
      return frame + style + "set grid\n"
        + plot(series, format) { "with lines lw 2 lc rgb \"\($0)\"" }
    case .scatter(let series):
      return frame + style
        + plot(series, format) { "with points pt 7 ps 0.5 lc rgb \"\($0)\"" }
    case .shaded(let points, let values, let label):
      return frame + style + shaded(points, values, quoted(label, format))
    case .heatMap(let values, let columns, let label, let limit):
      return frame + style + heatMap(values, columns, quoted(label, format), limit)
    }
  }

  private func plot(
    _ series: [Series], _ format: FigureFormat, _ style: (String) -> String
  ) -> String {
    let data = series.enumerated().map { number, series in
      "$series\(number) << EOD\n"
        + series.points.map { "\($0.x) \($0.y)\n" }.joined() + "EOD\n"
    }
    let parts = series.enumerated().map { number, series in
      let name = series.name.isEmpty ? "notitle" : "title \(quoted(series.name, format))"
      return "$series\(number) \(style(Self.colours[number % Self.colours.count])) \(name)"
    }
    return data.joined() + "plot " + parts.joined(separator: ", \\\n  ") + "\n"
  }

  /// Colours from dark blue over green to yellow, of growing lightness (matplotlib's viridis).
  private func shaded(_ points: [Point], _ values: [Double], _ label: String) -> String {
    let lines = zip(points, values).map { "\($0.x) \($0.y) \($1)\n" }.joined()
    return """
      set palette defined (0 "#440154", 1 "#414487", 2 "#2a788e", 3 "#22a884", 4 "#7ad151", \
      5 "#fde725")
      set cblabel \(label)
      $points << EOD
      \(lines)EOD
      plot $points with points pt 7 ps 0.5 lc palette notitle

      """
  }

  /// The colour scale is symmetric about zero, so that white is zero.
  private func heatMap(
    _ values: [Double], _ columns: Int, _ label: String, _ limit: Double?
  ) -> String {
    let limit = limit ?? Chart.limit(of: [values])
    let rows = stride(from: 0, to: values.count, by: columns).map { start in
      values[start..<start + columns].map { "\($0)" }.joined(separator: " ") + "\n"
    }
    return """
      set size ratio -1
      set xrange [-0.5:\(Double(columns) - 0.5)]
      set yrange [\(Double(rows.count) - 0.5):-0.5]
      set palette defined (-1 "#2166ac", 0 "#ffffff", 1 "#b2182b")
      set cbrange [\(-limit):\(limit)]
      set cblabel \(label)
      $values << EOD
      \(rows.joined())EOD
      plot $values matrix with image notitle

      """
  }

  /// The largest magnitude of all finite values, the end of a colour scale; 1 if they are all zero.
  public static func limit(of maps: [[Double]]) -> Double {
    let largest = maps.joined().reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    return largest > 0 ? largest : 1
  }
}

/// A string as gnuplot reads it between single quotes, where it looks for nothing but the next
/// quote: no escapes, no commands in backquotes. That quote is made an apostrophe: doubled, as the
/// manual has it, it is misread where the text begins with it.
///
/// In SVG gnuplot escapes markup except `&#x` and `>`, so hexadecimal numbers stand for these
/// characters.
func quoted(_ text: String, _ format: FigureFormat) -> String {
  var text = text.printable.replacing("'", with: "’")
  if format == .svg {
    text = text.replacing("&", with: "&#x26;").replacing(">", with: "&#x3E;")
  }
  return "'\(text)'"
}
