import SystemPackage

/// What a file from elsewhere may make the program hold; docs/data.md states these numbers.
package enum Limit {
  /// Bytes of a file that is read whole, 1 GiB.
  package static let file = 1 << 30
  /// Bytes of a data set's file that is read whole, packed or once expanded, or of all such files
  /// in an archive or a folder together: 320 MiB, of which two copies and the file fit into 1 GiB.
  package static let images = 320 << 20
  /// Bytes to which a member of a zip archive may expand: 640 MiB.
  package static let member = 640 << 20
  /// Bytes to which a gzip stream may expand while it is passed over, 1 GiB.
  package static let stream = 1 << 30
  /// Files in a zip archive, 2²¹.
  package static let zipEntries = 1 << 21
  /// Files in a tar archive.
  package static let tarEntries = 100_000
  /// Bytes of a name in an archive, as of a path on Linux.
  package static let name = 4096

  /// The error for something that would be larger than a limit.
  package static func exceeded(
    _ what: String, _ found: String, limit: Int, unit: String = "bytes", in path: FilePath,
    at offset: Int? = nil
  ) -> FileError {
    FileError(
      .damaged, what, path: path, offset: offset, expected: "at most \(limit) \(unit)",
      found: found, hint: "That is the most that is read; see \"Limits\" in docs/data.md")
  }
}
