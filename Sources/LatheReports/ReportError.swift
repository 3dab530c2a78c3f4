import SystemPackage

/// Why a report or picture could not be made.
public enum ReportError: Error, Equatable, Sendable {
  /// A picture's file has another ending than the formats there are.
  case format(path: FilePath, found: String)
  /// Charts need gnuplot, which is not in `PATH`.
  case noGnuplot
  /// gnuplot drew nothing, with its complaint.
  case gnuplot(path: FilePath, reason: String)
  /// A value of an image is not a number or infinite.
  case nonFinite(image: Int, row: Int, column: Int, channel: Int, value: String)
}

extension ReportError: CustomStringConvertible {
  /// What, where and why.
  public var description: String {
    switch self {
    case .format(let path, let found): "\(path): expected a name in .png or .svg, found .\(found)"
    case .noGnuplot:
      "charts are drawn by gnuplot, which is not in PATH: apt-get install gnuplot-nox"
    case .gnuplot(let path, let reason): "\(path): gnuplot drew nothing: \(reason)"
    case .nonFinite(let image, let row, let column, let channel, let value):
      "image \(image), row \(row), column \(column), channel \(channel): "
        + "expected a finite value, found \(value)"
    }
  }
}
