import LatheFiles
import SystemPackage

/// The files that a data set consists of, where they may lie and how they are read.
struct FileOrigin: Sendable {
  /// Folders of the system's packages.
  let systemFolders: [FilePath]
  /// Folders below a place in which the files may lie too, as other programs lay them.
  let subfolders: [String]
  /// How the user gets the files, in a sentence.
  let instructions: String
  /// For each file of a split, the names under which it may lie, the most likely first.
  let names: @Sendable (Split) -> [[String]]
  /// Reads the split from the files, which stand in the order of `names`.
  let read: @Sendable (Dataset, Split, [FilePath]) throws(FileError) -> ImageSet

  /// The files of a split, from the first place that holds any of them.
  ///
  /// One that holds all of them comes before one that holds some.
  /// - Throws: `FileError` (missing) if none does, or if that place lacks one.
  func locate(_ split: Split, of name: String, in folders: [FilePath]) throws(FileError)
    -> [FilePath]
  {
    let files = names(split)
    let places = folders.flatMap(places)
    func has(_ names: [String], _ place: FilePath) -> Bool {
      firstFile(names, in: place) != nil
    }
    let holder =
      places.first { place in files.allSatisfy { has($0, place) } }
      ?? places.first { place in files.contains { has($0, place) } }
    guard let holder else { throw nothingFound(split, of: name, in: folders) }
    var paths: [FilePath] = []
    for alternatives in files {
      guard let path = firstFile(alternatives, in: holder) else {
        throw FileError(
          .missing, "\(name), \(split.rawValue) split", path: holder,
          expected: alternatives.joined(separator: " or "),
          found: folders.count == 1
            ? "no such file"
            : "no such file; looked in \(folders.map(\.printable).joined(separator: ", "))",
          hint: instructions)
      }
      paths.append(path)
    }
    return paths
  }

  /// A folder and the folders in it where other programs lay the files; one folder that is all
  /// there is in it is looked into as well.
  private func places(in folder: FilePath) -> [FilePath] {
    var places = [folder] + subfolders.map { folder.appending($0) }
    if let inner = FileSystem.onlyFolder(in: folder) {
      places += [inner] + subfolders.map { inner.appending($0) }
    }
    return places
  }

  /// The error of a split of which nothing is in any of the folders.
  private func nothingFound(_ split: Split, of name: String, in folders: [FilePath])
    -> FileError
  {
    let wanted = names(split).compactMap(\.first)
    return LatheData.nothingFound(
      "\(name), \(split.rawValue) split", wanted.joined(separator: " and "), folders,
      instructions, below: subfolders)
  }

  /// A file of one of the names, or of one of them in a folder that is named so: some archives
  /// unpack each file into a folder of its own.
  private func firstFile(_ names: [String], in place: FilePath) -> FilePath? {
    if let file = names.lazy.map({ place.appending($0) }).first(where: FileSystem.isFile) {
      return file
    }
    let folders = names.lazy.map { place.appending($0) }.filter { FileSystem.isFolder($0) }
    return folders.flatMap { folder in names.map { folder.appending($0) } }
      .first(where: FileSystem.isFile)
  }
}

extension FileSystem {
  /// The one folder in a folder, if it holds no other and no file beside it; hidden names do not
  /// count.
  static func onlyFolder(in folder: FilePath) -> FilePath? {
    guard let names = try? FileSystem.names(in: folder) else { return nil }
    let shown = names.filter { !$0.hasPrefix(".") && $0 != "__MACOSX" }
    guard shown.count == 1 else { return nil }
    let inner = folder.appending(shown[0])
    return isFolder(inner) ? inner : nil
  }
}
