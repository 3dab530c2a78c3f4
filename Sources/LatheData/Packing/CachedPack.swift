import LatheFiles
import LatheNN
import SystemPackage

/// The packed file in the cache that belongs to pictures and a preparation.
///
/// Its name has a digest of the pictures' names, sizes and times of change. That alone is not
/// trusted: `FILE.state` holds SHA-256 of these, of inodes and of the times at which the files'
/// status changed. If it is another one, as in a copy of the folder, the pictures' content is
/// compared with the SHA-256 in the packed file.
public struct CachedPack: Sendable {
  /// Where the file is or will be.
  public let path: FilePath
  private let pictures: ImageListing
  private let preparation: Preparation

  init(_ pictures: ImageListing, as preparation: Preparation, in cache: FilePath) {
    let cropped = preparation.crop.map { "crop\($0)" } ?? "centre"
    let key = SHA256.hexadecimal(Array(pictures.key.prefix(8)))
    let settings = "\(preparation.size)-\(cropped)-\(preparation.filter.rawValue)"
    path = cache.appending("\(pictures.dataset)-\(settings)-\(key).pack")
    self.pictures = pictures
    self.preparation = preparation
  }

  private var statePath: FilePath { path.appending(ending: ".state") }

  /// What the state file says while it belongs to the packed file.
  private func state(of file: PackedFile) -> String {
    "\(SHA256.hexadecimal(pictures.state)) \(file.contentDigest ?? "")\n"
  }

  /// The file, if it is there, intact, and was made from these pictures.
  ///
  /// - Throws: `FileError` (missing) if the pictures' content must be compared and one cannot be
  ///   read.
  public func file() throws(FileError) -> PackedFile? {
    guard let file = try? PackedFile(path), file.dataset == pictures.dataset,
      file.preparation == preparation, let digest = file.contentDigest
    else { return nil }
    let noted = try? OpenFile(reading: statePath).contents(limit: 1024)
    if noted == Array(state(of: file).utf8) { return file }
    guard SHA256.hexadecimal(try pictures.contentDigest()) == digest else { return nil }
    note(file)
    return file
  }

  /// Notes that the packed file has just been made from these pictures.
  public func note() {
    if let file = try? PackedFile(path) { note(file) }
  }

  /// Without the note, the content is compared next time, so nothing depends on its being written.
  private func note(_ file: PackedFile) {
    try? FileSystem.replace(statePath, with: state(of: file), isSynced: false)
  }

  /// Packed files of this set by versions that named them by CRC-32: they are not used any more.
  public func filesOfEarlierVersions() -> [FilePath] {
    let folder = FileSystem.parent(of: path)
    let names = (try? FileSystem.names(in: folder)) ?? []
    return names.filter { name in
      guard name.hasPrefix("\(pictures.dataset)-"), name.hasSuffix(".pack"),
        let key = name.dropLast(5).split(separator: "-").last
      else { return false }
      return key.utf8.count == 8
    }.map { folder.appending($0) }
  }
}

extension Dataset {
  /// The packed file of these pictures in a cache.
  public func cached(_ pictures: ImageListing, cache: FilePath) -> CachedPack {
    require(preparation != nil, "\(name) has no pictures")
    return CachedPack(pictures, as: preparation!, in: cache)
  }

  /// Whether the set has images of a split at a place, which for pictures is their packed file.
  public func has(_ split: Split, at place: FilePath?) -> Bool {
    guard isPacked else { return splits.contains(split) }
    guard let place, let file = try? PackedFile(place) else { return false }
    return file.splits.contains(split)
  }
}
