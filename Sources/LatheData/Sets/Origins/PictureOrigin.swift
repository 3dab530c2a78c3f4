import LatheFiles
import Foundation
import SystemPackage

/// A data set of pictures that are packed before use.
struct PictureOrigin: Sendable {
  /// How the user gets it, in a sentence.
  let instructions: String
  /// What the place should hold, for messages.
  let contents: String
  /// Lists the pictures of a place; nil if nothing of the data set is there.
  let scan: @Sendable (FilePath, _ isTolerant: Bool) throws(FileError) -> ImageListing?
}

extension Dataset {
  /// Whether the data set consists of pictures that are packed before use.
  public var isPacked: Bool {
    if case .pictures = origin { true } else { false }
  }

  /// The same data set with its pictures prepared in another way.
  public func prepared(as preparation: Preparation) -> Dataset {
    require(isPacked, "\(name) has no pictures to prepare")
    var entry = self
    entry.preparation = preparation
    entry.shape = preparation.shape
    return entry
  }

  /// The same data set with damaged pictures left out when it is packed, or not.
  public func skippingDamaged(_ skips: Bool) -> Dataset {
    var entry = self
    entry.skipsDamaged = skips
    return entry
  }

  /// The pictures at `place`, or at the first of `places` that has any.
  ///
  /// With `isTolerant`, pictures on which lists and folder disagree are left out and named in
  /// `omissions`.
  /// - Throws: `FileError`: missing if there are none, damaged if the lists are, or disagree.
  public func pictures(
    at place: FilePath? = nil, dataRoot: FilePath? = DatasetRegistry.dataRoot,
    isTolerant: Bool = false
  ) throws(FileError) -> ImageListing {
    guard case .pictures(let origin) = origin else {
      trap("\(name) has no pictures")
    }
    let places = place.map { [$0] } ?? self.places(dataRoot: dataRoot)
    if let place { try requireArchive(place) }
    for place in places {
      if let listing = try origin.scan(place, isTolerant) { return listing }
    }
    throw nothingFound(name, origin.contents, places, origin.instructions)
  }

  /// A place that is a file must begin as a packed file or a zip archive does.
  ///
  /// - Throws: `FileError` (damaged), as for a packed file whose first bytes are lost.
  private func requireArchive(_ place: FilePath) throws(FileError) {
    guard FileSystem.isFile(place) else { return }
    if ArrayImages.isNamed(place) {
      throw FileError(
        .damaged, "pictures", path: place,
        expected: "a folder or zip of pictures, or a packed file", found: "NumPy arrays",
        hint: "They are a data set of their own: lathe train MODEL \(place)")
    }
    let file = try OpenFile(reading: place)
    let start = try file.bytes(at: 0, count: min(try file.size(), 2048))
    if start.starts(with: PackedHeader.magic) || start.starts(with: Array("PK".utf8)) { return }
    throw FileError(
      .damaged, "packed file", path: place, offset: 0,
      expected: "LATHEIMG at its start, or PK of a zip archive",
      found: contentKind(start) ?? "something else")
  }

  /// A split of the packed file at `place`, or of pictures, which are packed into the cache first
  /// if they are not.
  func loadPacked(_ split: Split, at place: FilePath?, dataRoot: FilePath?) throws(FileError)
    -> ImageSet
  {
    if let place, PackedFile.isPacked(place) { return try PackedFile(place).images(split) }
    let pictures = try pictures(at: place, dataRoot: dataRoot, isTolerant: skipsDamaged)
    try pictures.require(split)
    let cached = cached(pictures, cache: DatasetRegistry.cacheFolder)
    if let file = try cached.file() { return try file.images(split) }
    let packer = Packer(pictures, as: preparation!, to: cached.path, skipsDamaged: skipsDamaged)
    if let (packer, _) = try PackQueue(packer).begin(unless: { (try? cached.file()) != nil }) {
      try packer.pack(part: 0, of: 1)
      _ = try packer.finish()
      cached.note()
    }
    return try PackedFile(cached.path).images(split)
  }
}

extension DatasetRegistry {
  /// Where packed files are kept: `LATHE_CACHE`, else `lathe` below `XDG_CACHE_HOME` or `~/.cache`.
  public static var cacheFolder: FilePath {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ name: String) -> FilePath? {
      environment[name].flatMap { $0.isEmpty ? nil : FilePath($0) }
    }
    if let own = folder("LATHE_CACHE") { return own }
    let general = folder("XDG_CACHE_HOME") ?? (folder("HOME") ?? ".").appending(".cache")
    return general.appending("lathe")
  }
}
