import Glibc
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
  let read: @Sendable (DatasetRegistry.Entry, Split, [FilePath]) throws(DatasetError) -> ImageSet

  /// The files of a split, from the first folder that holds any of them.
  ///
  /// - Throws: `DatasetError` (missing) if none does, or if that folder lacks one.
  func locate(_ split: Split, of name: String, in folders: [FilePath]) throws(DatasetError)
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
        throw DatasetError(
          .missing, "\(name), \(split.rawValue) split", path: holder,
          expected: alternatives.joined(separator: " or "), found: "no such file",
          hint: instructions)
      }
      paths.append(path)
    }
    return paths
  }

  private func nothingFound(_ split: Split, of name: String, in folders: [FilePath])
    -> DatasetError
  {
    let looked = folders.map { "\($0)" + (exists($0) ? "" : " (does not exist)") }
    let wanted = names(split).compactMap(\.first)
    return DatasetError(
      .missing, "\(name), \(split.rawValue) split", expected: wanted.joined(separator: " and "),
      found: "nothing in " + looked.joined(separator: ", nothing in "), hint: instructions)
  }

  private func firstExisting(_ names: [String], in folder: FilePath) -> FilePath? {
    names.lazy.map { folder.appending($0) }.first(where: exists)
  }

  private func exists(_ path: FilePath) -> Bool {
    path.withPlatformString { access($0, F_OK) } == 0
  }
}
