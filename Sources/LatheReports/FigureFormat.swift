import SystemPackage

/// The format of a picture's file, by the ending of its name.
public enum FigureFormat: String, Sendable, CaseIterable {
  case png, svg

  /// PNG if the name has no ending.
  ///
  /// - Throws: `ReportError.format` for any other ending.
  public init(of path: FilePath) throws(ReportError) {
    guard let ending = path.extension?.lowercased() else {
      self = .png
      return
    }
    guard let format = FigureFormat(rawValue: ending) else {
      throw .format(path: path, found: ending)
    }
    self = format
  }
}
