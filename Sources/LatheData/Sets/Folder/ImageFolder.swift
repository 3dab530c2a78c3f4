import LatheFiles
import SystemPackage

extension Dataset {
  /// Any folder of pictures.
  public static let folder = Dataset(
    name: "folder",
    summary: "your own JPEG and PNG pictures, below the folder or in the zip named by --data",
    shape: Preparation().shape,
    splits: Split.allCases,
    classNames: [],
    preparation: Preparation(),
    origin: .pictures(
      PictureOrigin(
        instructions: """
          Name a folder of JPEG or PNG pictures, or a zip of them, with --data. Pictures below its \
          subfolders train, val and test belong to these splits; without them, every tenth in the \
          order of names is for testing
          """,
        contents: "JPEG or PNG pictures",
        scan: { (place, isTolerant) throws(FileError) in
          try ImageFolder(at: place, isTolerant: isTolerant)?.listing
        })))
}

/// The pictures below a folder or in an archive.
struct ImageFolder {
  private let store: ImageStore
  private let scan: PictureScan
  private let isTolerant: Bool
  private var notes: [String]

  /// Nil if there are none and nothing else.
  ///
  /// - Throws: `FileError`: missing for the first picture that cannot be opened, unless
  ///   `isTolerant`, or if there are other files only; damaged for an archive that is.
  init?(at place: FilePath, isTolerant: Bool) throws(FileError) {
    guard let status = FileSystem.status(place) else { return nil }
    store = status.isFolder ? .folder(place) : try .zip(place)
    scan = try PictureScan(store, isDeep: true)
    notes = scan.notes
    self.isTolerant = isTolerant
    if let fault = scan.faults.first, !isTolerant { throw fault.error.advisingToSkip }
    guard scan.pictures.isEmpty else { return }
    guard let passedOver = scan.passedOver else { return nil }
    throw FileError(
      .missing, "folder", path: place, expected: "JPEG or PNG pictures",
      found: "none; \(passedOver)", hint: "Convert them to PNG or JPEG first")
  }

  var listing: ImageListing {
    let parts = FolderParts(scan.pictures.map(\.name)).splits
    var notes = notes
    let splits = Self.splits(parts, &notes)
    if let outside = outside(parts, splits) { notes.append(outside) }
    let items = zip(scan.pictures, splits).compactMap { picture, split in
      split.map { ImageListing.Item(picture.name, split: $0, status: picture.status) }
    }
    var listing = ImageListing(
      dataset: "folder",
      items: Split.allCases.flatMap { split in items.filter { $0.split == split } },
      attributeNames: [], omissions: scan.faults.map { "\($0.error)" }, attributes: [],
      identities: [], store: store, requirement: ImageRequirement(), listChecksum: 0)
    listing.notes = notes
    return listing
  }

  // Nothing that could be for testing is trained on: what is outside of the parts counts only where
  // there is no folder for training.
  private static func splits(_ parts: [Split?], _ notes: inout [String]) -> [Split?] {
    let there = Set(parts.compactMap { $0 })
    if there.isEmpty { return withTests(parts.map { _ in .train }) }
    if there.contains(.train) {
      if there == [.train, .validation] {
        notes.append("no folder test: the pictures for validation are for testing too")
      }
      if there != [.train] { return parts }
      let splits = withTests(parts)
      let count = splits.count { $0 == .test }
      if count > 0 { notes.append("no folder test: every tenth picture, \(count), is for testing") }
      return splits
    }
    let count = parts.count { $0 == nil }
    if count > 0 { notes.append("no folder train: the \(count) pictures outside are for training") }
    return parts.map { $0 ?? .train }
  }

  /// Every tenth of the training pictures is for testing.
  private static func withTests(_ splits: [Split?]) -> [Split?] {
    var place = 0
    return splits.map { split in
      guard split == .train else { return split }
      place += 1
      return place % 10 == 0 ? .test : .train
    }
  }

  /// A line on pictures outside of the parts, which are not read.
  private func outside(_ parts: [Split?], _ splits: [Split?]) -> String? {
    let names = zip(scan.pictures, splits).filter { $0.1 == nil }.map(\.0.name)
    guard !names.isEmpty else { return nil }
    let there = Split.allCases.filter { split in parts.contains { $0 == split } }
    return "\(names.count) pictures outside of the folders for "
      + "\(there.map(\.purpose).joined(separator: ", ")) not read: \(PictureScan.some(names))"
  }

  /// What a split is made of, and what to do without.
  static func need(of split: Split) -> (expected: String, hint: String) {
    switch split {
    case .train: ("pictures for training", "Put them into a folder train beside the others")
    case .validation: ("pictures for validation", "Put some into a folder val")
    case .test:
      (
        "at least 10 pictures, of which every tenth is for testing",
        "Or put pictures for testing into a folder test, beside a folder train"
      )
    }
  }
}
