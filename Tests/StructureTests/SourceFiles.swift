import Foundation

/// The program's source files, as text.
enum SourceFiles {
  /// The package's folder.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A Swift file below `Sources` or `Tests`.
  struct File {
    /// The module, by its folder.
    let module: String
    /// The path below the package's folder.
    let path: String
    let lines: [Substring]
  }

  /// All Swift files below `top`, a folder of the package, by path.
  static func all(below top: String = "Sources") throws -> [File] {
    let folder = root.appendingPathComponent(top)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".swift") }.sorted()
    return try paths.map { path in
      let text = try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
      return File(
        module: String(path.prefix { $0 != "/" }), path: "\(top)/\(path)",
        lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }
  }
}

extension SourceFiles.File {
  /// Lines of code in which `pattern` is found, as "path:line: text"; comments do not count.
  func lines(with pattern: some RegexComponent) -> [String] {
    lines.enumerated().compactMap { number, line in
      let code = SourceFiles.withoutComment(line)
      return code.contains(pattern) ? "\(path):\(number + 1): \(line)" : nil
    }
  }
}

extension SourceFiles {
  /// The line up to its comment; a `//` right behind a colon is part of an address.
  static func withoutComment(_ line: Substring) -> Substring {
    guard let comment = line.firstRange(of: #/(^|[^:])\/\//#) else { return line }
    return line[..<comment.lowerBound]
  }
}
