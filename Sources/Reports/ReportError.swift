import SystemPackage

/// Why a report or picture could not be made, written or read.
public enum ReportError: Error, Equatable, Sendable {
  /// The system refused to do something with a file, for the reason it gives.
  case file(path: FilePath, action: String, reason: String)
  /// libpng refused a picture, with its message.
  case png(path: FilePath, reason: String)
  /// A value of an image is not a number or infinite.
  case nonFinite(image: Int, row: Int, column: Int, channel: Int, value: String)
}

extension ReportError: CustomStringConvertible {
  /// What, where and why.
  public var description: String {
    switch self {
    case .file(let path, let action, let reason): "cannot \(action) \(path): \(reason)"
    case .png(let path, let reason): "PNG \(path): \(reason)"
    case .nonFinite(let image, let row, let column, let channel, let value):
      "image \(image), row \(row), column \(column), channel \(channel): "
        + "expected a finite value, found \(value)"
    }
  }
}
