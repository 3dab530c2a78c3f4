import LatheFiles
import SystemPackage

/// Where picture files lie.
enum ImageStore: Sendable {
  case folder(FilePath)
  case zip(ZipArchive, FilePath, [FileName: Int])

  /// Every JPEG and PNG in an archive, by its path there without the folders in `prefix`.
  ///
  /// - Throws: `FileError` (damaged), also for a picture whose name leads out of the archive.
  static func zip(_ path: FilePath, below prefix: String = "") throws(FileError) -> ImageStore {
    let archive = try ZipArchive(path)
    var places: [FileName: Int] = [:]
    for (place, entry) in archive.entries.enumerated() {
      let name = try name(of: entry, in: path)
      guard isPicture(name) else { continue }
      let own =
        name.bytes.starts(with: prefix.utf8)
        ? FileName(name.bytes.dropFirst(prefix.utf8.count)) : name
      if places.updateValue(place, forKey: own) != nil {
        throw FileError(
          .damaged, "zip directory", path: path, expected: "each name once", found: "\(own) twice")
      }
    }
    return .zip(archive, path, places)
  }

  /// An entry's path without `.` components; nothing for what is hidden.
  private static func name(of entry: ZipArchive.Entry, in path: FilePath) throws(FileError)
    -> FileName
  {
    let name = FileName(entry.name)
    let components = name.components.filter { $0.bytes != [0x2e] }
    if components.contains(where: FolderWalk.isNoise), !components.contains(FileName("..")) {
      return FileName("")
    }
    let hasDrive = name.bytes.dropFirst().first == UInt8(ascii: ":")
    guard name.bytes.first != UInt8(ascii: "/"), !hasDrive, !components.contains(FileName(".."))
    else {
      throw FileError(
        .damaged, "name in zip directory", path: path, expected: "a path inside the archive",
        found: "\(name)")
    }
    return components.reduce(FileName("")) { $0.appending($1) }
  }

  /// Whether the name ends as those of JPEG and PNG files do; hidden files do not count.
  static func isPicture(_ name: FileName) -> Bool {
    guard let last = name.components.last, !FolderWalk.isNoise(last), let ending = last.ending
    else { return false }
    return ["jpg", "jpeg", "jpe", "jfif", "png"].contains(ending)
  }

  /// The folder or the archive.
  var root: FilePath {
    switch self {
    case .folder(let folder): folder
    case .zip(_, let path, _): path
    }
  }

  /// The path that names a picture in messages.
  func path(of name: FileName) -> FilePath {
    switch self {
    case .folder(let folder): folder.appending(name)
    case .zip(let archive, let path, let places):
      places[name].map { archive.path(of: archive.entries[$0]) } ?? path.appending(name)
    }
  }

  /// The bytes of a picture's file.
  ///
  /// - Throws: `FileError`: missing if it cannot be read, damaged if it is larger than the decoder
  ///   allows.
  func content(of name: FileName) throws(FileError) -> [UInt8] {
    switch self {
    case .folder(let folder):
      let file = try OpenFile(reading: folder.appending(name))
      try ImageDecoder.check(size: try file.size(), of: file.path)
      return try file.contents()
    case .zip(let archive, let path, let places):
      guard let place = places[name] else {
        throw FileError(
          .missing, "archive", path: path, expected: "\(name)", found: "no such file in it")
      }
      try ImageDecoder.check(size: archive.entries[place].size, of: self.path(of: name))
      return try archive.content(of: archive.entries[place])
    }
  }

  /// The status of a picture's file, or of the archive that it is in.
  func status(of name: FileName) -> FileSystem.Status? {
    switch self {
    case .folder(let folder): FileSystem.status(folder.appending(name))
    case .zip(_, let path, _): FileSystem.status(path)
    }
  }

  /// The names of all pictures, sorted; in a folder without those in its subfolders unless
  /// `deeply`.
  func pictures(deeply: Bool) throws(FileError) -> [String] {
    try PictureScan(self, isDeep: deeply).pictures.map {
      String(decoding: $0.name.bytes, as: UTF8.self)
    }
  }
}
