import SystemPackage

/// Named arrays in a file of `numpy.savez` or `numpy.savez_compressed`.
package struct NumPyArchive: Sendable {
  /// Bytes of an array once expanded: 4,096 × 4,096 doubles and their header.
  private static let largest = 1 << 27 + 1 << 14
  /// Larger arrays may expand at most so many times; numbers hardly shrink.
  private static let (freeSize, expansion) = (1 << 23, 32)

  private let archive: ZipArchive
  private let path: FilePath

  /// - Throws: `FileError`: missing if the file cannot be read, damaged if it is no zip archive.
  package init(_ path: FilePath) throws(FileError) {
    archive = try ZipArchive(path)
    self.path = path
  }

  /// The array of a name.
  ///
  /// - Throws: `FileError` (damaged) if it is not there, not an array of floats, or larger than
  ///   4,096 × 4,096 doubles.
  package func array(_ name: String) throws(FileError) -> NumPyArray {
    let found = archive.entries.filter { $0.name == name + ".npy" }
    guard found.count == 1 else {
      throw FileError(
        .damaged, "array", path: path, expected: name + ".npy",
        found: found.isEmpty ? contents : "it \(found.count) times")
    }
    return try NumPyArray(content(of: found[0]), path: archive.path(of: found[0]))
  }

  private func content(of entry: ZipArchive.Entry) throws(FileError) -> [UInt8] {
    let (most, isTooLarge) = entry.packedSize.multipliedReportingOverflow(by: Self.expansion)
    let limit = min(Self.largest, max(Self.freeSize, isTooLarge ? .max : most))
    return try archive.content(of: entry, limit: limit)
  }

  /// What is there, for messages: each name with its type and shape, where they are easily read.
  private var contents: String {
    let shown = archive.entries.prefix(6).map { entry in
      let isSmall = entry.size <= Self.freeSize
      let header = isSmall ? try? NumPyHeader(content(of: entry), path: path) : nil
      return String(entry.name.prefix(60)) + (header.map { " (\($0.summary))" } ?? "")
    }
    let rest = archive.entries.count - shown.count
    if shown.isEmpty { return "no arrays" }
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  /// Writes arrays under their names, stored, whole or not at all.
  ///
  /// - Throws: `FileError` (unwritable).
  package static func write(
    _ arrays: [(name: String, array: NumPyArray)], to path: FilePath
  ) throws(FileError) {
    let writer = try NumPyWriter(
      path, arrays.map { .init($0.name, .float64, $0.array.shape) }, isArchive: true)
    for (index, array) in arrays.enumerated() {
      try writer.append(array.array.values, to: index)
    }
    try writer.finish()
  }
}
