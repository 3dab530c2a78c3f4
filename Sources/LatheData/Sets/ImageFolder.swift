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
          subfolders train, validation and test belong to these splits; without them, every tenth \
          in the order of names is for testing
          """,
        contents: "JPEG or PNG pictures",
        scan: { (place, _) throws(FileError) in try ImageFolder.listing(of: place) })))
}

enum ImageFolder {
  /// The pictures below a folder or in an archive; nil if there are none.
  static func listing(of place: FilePath) throws(FileError) -> ImageListing? {
    guard let status = FileSystem.status(place) else { return nil }
    let store = status.isFolder ? ImageStore.folder(place) : try .zip(place)
    let names = try store.pictures(deeply: true)
    guard !names.isEmpty else { return nil }
    if let name = names.first(where: { $0.contains("\n") }) {
      throw FileError(
        .damaged, "name", path: store.path(of: name), expected: "no line feed in it", found: "one")
    }
    let items = items(names)
    return ImageListing(
      dataset: "folder",
      items: Split.allCases.flatMap { split in items.filter { $0.split == split } },
      attributeNames: [], omissions: [], attributes: [], identities: [], store: store,
      requirement: ImageRequirement(), listChecksum: 0)
  }

  private static func items(_ names: [String]) -> [ImageListing.Item] {
    func split(_ name: String) -> Split? {
      let parts = name.split(separator: "/")
      return parts.count > 1 ? Split(rawValue: String(parts[0])) : nil
    }
    let isDivided = names.contains { split($0) != nil }
    return names.enumerated().compactMap { place, name in
      if isDivided { return split(name).map { .init(name: name, split: $0) } }
      return .init(name: name, split: place % 10 == 9 ? .test : .train)
    }
  }
}
