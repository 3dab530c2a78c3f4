import LatheData
import Glibc
import SystemPackage

/// Named arrays in a file of `numpy.savez` or `numpy.savez_compressed`.
package struct NumPyArchive: Sendable {
  private let archive: ZipArchive
  private let path: FilePath

  /// - Throws: `DatasetError`: missing if the file cannot be read, damaged if it is no zip archive.
  package init(_ path: FilePath) throws(DatasetError) {
    archive = try ZipArchive(path)
    self.path = path
  }

  /// The array of a name.
  ///
  /// - Throws: `DatasetError` (damaged) if it is not there, or not an array of floats.
  package func array(_ name: String) throws(DatasetError) -> NumPyArray {
    guard let entry = archive.entries.first(where: { $0.name == name + ".npy" }) else {
      let names = archive.entries.map(\.name).joined(separator: ", ")
      throw DatasetError(
        .damaged, "array", path: path, expected: name + ".npy",
        found: names.isEmpty ? "none" : names)
    }
    return try NumPyArray(archive.content(of: entry), path: archive.path(of: entry))
  }

  /// Writes arrays under their names, stored, whole or not at all.
  ///
  /// - Throws: `DatasetError` (unwritable).
  package static func write(
    _ arrays: [(name: String, array: NumPyArray)], to path: FilePath
  ) throws(DatasetError) {
    let bytes = storedArchive(arrays.map { ($0.name + ".npy", $0.array.bytes) })
    var temporary = path
    temporary.removeLastComponent()
    temporary.append(".\(path.lastComponent?.string ?? "statistics").part")
    do {
      let file = try OpenFile(writing: temporary)
      try file.write(bytes, at: 0)
      try file.truncate(to: bytes.count)
      try file.sync()
      try replaceFile(path, with: temporary)
    } catch {
      _ = temporary.withPlatformString { unlink($0) }
      throw error
    }
  }
}
