import LatheFiles
import SystemPackage

/// The files that a data set consists of, where they may lie and how they are read.
struct FileOrigin: Sendable {
  /// Folders of the system's packages.
  let systemFolders: [FilePath]
  /// How the user gets the files, in a sentence.
  let instructions: String
  /// For each file of a split, the names under which it may lie, the most likely first.
  let names: @Sendable (Split) -> [[String]]
  /// Reads the split from the files, which stand in the order of `names`.
  let read: @Sendable (Dataset, Split, [FilePath]) throws(FileError) -> ImageSet

  /// The files of a split, from the first folder that holds any of them.
  ///
  /// - Throws: `FileError` (missing) if none does, or if that folder lacks one.
  func locate(_ split: Split, of name: String, in folders: [FilePath]) throws(FileError)
    -> [FilePath]
  {
    let files = names(split)
    let holder = folders.first { folder in
      files.contains { firstExisting($0, in: folder) != nil }
    }
    guard let holder else { throw nothingFound(split, of: name, in: folders) }
    var paths: [FilePath] = []
    for alternatives in files {
      guard let path = firstExisting(alternatives, in: holder) else {
        throw FileError(
          .missing, "\(name), \(split.rawValue) split", path: holder,
          expected: alternatives.joined(separator: " or "), found: "no such file",
          hint: instructions)
      }
      paths.append(path)
    }
    return paths
  }

  private func nothingFound(_ split: Split, of name: String, in folders: [FilePath])
    -> FileError
  {
    let looked = folders.map { "\($0)" + (FileSystem.exists($0) ? "" : " (does not exist)") }
    let wanted = names(split).compactMap(\.first)
    return FileError(
      .missing, "\(name), \(split.rawValue) split", expected: wanted.joined(separator: " and "),
      found: "nothing in " + looked.joined(separator: ", nothing in "), hint: instructions)
  }

  private func firstExisting(_ names: [String], in folder: FilePath) -> FilePath? {
    names.lazy.map { folder.appending($0) }.first(where: FileSystem.exists)
  }
}
