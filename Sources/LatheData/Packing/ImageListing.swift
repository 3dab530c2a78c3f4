import LatheFiles
import SystemPackage

/// The pictures of a data set before they are packed: which there are, where they lie, what is
/// known of them.
public struct ImageListing: Sendable {
  /// A picture.
  public struct Item: Sendable {
    /// Its path below the data set's folder or in its archive.
    public let name: String
    /// The part of the data set to which it belongs.
    public let split: Split
  }

  /// The data set's name in the registry.
  public let dataset: String
  /// All training pictures, then all for validation, then all for testing, each in the order of
  /// their list.
  public let items: [Item]
  /// The names of yes-or-no attributes.
  public let attributeNames: [String]
  /// A line for each picture or row that was passed over because the lists disagree.
  public let omissions: [String]

  /// Attributes, a bit each from the lowest, `[items, bytesPerRow]`.
  let attributes: [UInt8]
  /// The person of each picture; empty if not known.
  let identities: [Int32]
  let store: ImageStore
  let requirement: ImageRequirement
  /// CRC-32 of the lists that came with the pictures.
  let listChecksum: UInt32

  static func bytesPerRow(attributes: Int) -> Int { (attributes + 7) / 8 }

  /// The bytes of a picture's file.
  func content(of item: Item) throws(FileError) -> [UInt8] { try store.content(of: item.name) }

  /// CRC-32 of all names, sizes and times of change and of the lists: another content has another
  /// one.
  var key: UInt32 {
    var checksum = Checksum(listChecksum)
    checksum.update(Array(dataset.utf8))
    checksum.update(bigEndian: ImageDecoder.version)
    checksum.update(bigEndian: attributeNames.count)
    for item in items {
      checksum.update(Array("\(item.split.rawValue) \(item.name)\n".utf8))
      if case .folder = store { store.addStatus(of: item.name, to: &checksum) }
    }
    if case .zip = store { store.addStatus(of: "", to: &checksum) }
    return checksum.value
  }
}

/// Where picture files lie.
enum ImageStore: Sendable {
  case folder(FilePath)
  case zip(ZipArchive, FilePath, [String: Int])

  /// Every JPEG and PNG in an archive, by its path there without the folders in `prefix`.
  static func zip(_ path: FilePath, below prefix: String = "") throws(FileError) -> ImageStore {
    let archive = try ZipArchive(path)
    var places: [String: Int] = [:]
    for (place, entry) in archive.entries.enumerated() where isPicture(entry.name) {
      let name =
        entry.name.hasPrefix(prefix) ? String(entry.name.dropFirst(prefix.count)) : entry.name
      if places.updateValue(place, forKey: name) != nil {
        throw FileError(
          .damaged, "zip directory", path: path, expected: "each name once", found: "\(name) twice")
      }
    }
    return .zip(archive, path, places)
  }

  /// Whether the name ends as those of JPEG and PNG files do; hidden files do not count.
  static func isPicture(_ name: String) -> Bool {
    guard let last = name.split(separator: "/").last, !last.hasPrefix("."),
      !name.hasPrefix("__MACOSX/")
    else { return false }
    let lower = last.lowercased()
    return [".jpg", ".jpeg", ".png"].contains { lower.hasSuffix($0) }
  }

  /// The path that names a picture in messages.
  func path(of name: String) -> FilePath {
    switch self {
    case .folder(let folder): folder.appending(name)
    case .zip(let archive, let path, let places):
      places[name].map { archive.path(of: archive.entries[$0]) } ?? path.appending(name)
    }
  }

  func content(of name: String) throws(FileError) -> [UInt8] {
    switch self {
    case .folder(let folder):
      let file = try OpenFile(reading: folder.appending(name))
      try ImageDecoder.check(size: try file.size(), of: file.path)
      return try file.contents()
    case .zip(let archive, let path, let places):
      guard let place = places[name] else {
        throw FileError(
          .missing, "archive", path: path, expected: name, found: "no such file in it")
      }
      try ImageDecoder.check(size: archive.entries[place].size, of: self.path(of: name))
      return try archive.content(of: archive.entries[place])
    }
  }

  /// The names of all pictures, sorted; in a folder without those in its subfolders unless
  /// `deeply`.
  func pictures(deeply: Bool) throws(FileError) -> [String] {
    switch self {
    case .folder(let folder):
      return try Self.pictures(below: folder, prefix: "", deeply: deeply)
    case .zip(_, _, let places): return places.keys.sorted()
    }
  }

  private static func pictures(below folder: FilePath, prefix: String, deeply: Bool)
    throws(FileError) -> [String]
  {
    var found: [String] = []
    for name in try FileSystem.names(in: folder) where !name.hasPrefix(".") {
      if isPicture(name) {
        found.append(prefix + name)
      } else if deeply, FileSystem.isFolder(folder.appending(name)) {
        found += try pictures(
          below: folder.appending(name), prefix: "\(prefix)\(name)/", deeply: true)
      }
    }
    return found
  }

  func addStatus(of name: String, to checksum: inout Checksum) {
    let status =
      switch self {
      case .folder(let folder): FileSystem.status(folder.appending(name))
      case .zip(_, let path, _): FileSystem.status(path)
      }
    checksum.update(bigEndian: status?.size ?? -1)
    checksum.update(bigEndian: status?.changed ?? 0)
  }
}

extension Checksum {
  mutating func update(bigEndian value: Int) {
    update(withUnsafeBytes(of: value.bigEndian) { Array($0) })
  }
}
