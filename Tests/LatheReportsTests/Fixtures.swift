import Foundation
import SystemPackage

/// A new folder that goes away with its owner.
final class TemporaryFolder {
  let path: FilePath

  init() {
    path = FilePath(NSTemporaryDirectory()).appending("lathe-reports-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(
      atPath: path.string, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  /// The names of the files in it.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path.string).sorted() }
  }
}
