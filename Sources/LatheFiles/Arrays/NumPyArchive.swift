import SystemPackage

/// Named arrays in a file of `numpy.savez` or `numpy.savez_compressed`.
package struct NumPyArchive: Sendable {
  private let archive: ZipArchive
  private let path: FilePath

  /// - Throws: `FileError`: missing if the file cannot be read, damaged if it is no zip archive.
  package init(_ path: FilePath) throws(FileError) {
    archive = try ZipArchive(path)
    self.path = path
  }

  /// The array of a name.
  ///
  /// - Throws: `FileError` (damaged) if it is not there, or not an array of floats.
  package func array(_ name: String) throws(FileError) -> NumPyArray {
    guard let entry = archive.entries.first(where: { $0.name == name + ".npy" }) else {
      let names = archive.entries.map(\.name).joined(separator: ", ")
      throw FileError(
        .damaged, "array", path: path, expected: name + ".npy",
        found: names.isEmpty ? "none" : names)
    }
    return try NumPyArray(archive.content(of: entry), path: archive.path(of: entry))
  }

  /// Writes arrays under their names, stored, whole or not at all.
  ///
  /// - Throws: `FileError` (unwritable).
  package static func write(
    _ arrays: [(name: String, array: NumPyArray)], to path: FilePath
  ) throws(FileError) {
    let bytes = storedArchive(arrays.map { ($0.name + ".npy", $0.array.bytes) })
    try FileSystem.replace(path, with: bytes)
  }
}
