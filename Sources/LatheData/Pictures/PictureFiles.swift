import LatheFiles
import LatheNN
import SystemPackage

/// The JPEG and PNG pictures of a folder, read from their files each time they are asked for; grey
/// ones in colour.
public struct PictureFiles: Sendable {
  /// Of every picture.
  public let shape: ImageShape
  /// A line for each thing that was passed over in the folder.
  public let notes: [String]
  private let names: [FileName]
  private let store: ImageStore
  private let preparation: Preparation?

  /// All pictures of a folder without its subfolders, in the order of names; resized to squares of
  /// `size` if given.
  ///
  /// - Throws: `FileError`: missing if there are none, damaged if the first cannot be read.
  public init(_ folder: FilePath, size: Int? = nil) throws(FileError) {
    guard FileSystem.isFolder(folder) else {
      throw FileError(
        .missing, "images", path: folder, expected: "a folder of pictures, a packed file or .npz",
        found: FileSystem.status(folder) == nil ? "nothing" : "another file")
    }
    store = .folder(folder)
    let scan = try PictureScan(store, isDeep: false)
    if let fault = scan.faults.first { throw fault.error }
    (names, notes) = (scan.pictures.map(\.name), scan.notes)
    guard let first = names.first else {
      throw FileError(
        .missing, "images", path: folder, expected: "JPEG or PNG pictures",
        found: scan.passedOver.map { "none; \($0)" } ?? "none")
    }
    preparation = size.map { Preparation(size: $0) }
    if let size {
      shape = ImageShape(height: size, width: size, channels: 3)
    } else {
      let image = try Self.decoded(first, store)
      shape = ImageShape(height: image.height, width: image.width, channels: 3)
    }
  }

  /// The number of pictures.
  public var count: Int { names.count }

  /// The values of picture `index`, `[height, width, 3]`, 0 to 255.
  ///
  /// - Throws: `FileError` (damaged) if it cannot be read or has another size than the first.
  public func bytes(of index: Int) throws(FileError) -> [UInt8] {
    let name = names[index]
    if let preparation {
      var preparer = ImagePreparer(preparation, requiring: ImageRequirement())
      return try preparer.image(of: try store.content(of: name), at: store.path(of: name))
    }
    let image = try Self.decoded(name, store)
    guard (image.height, image.width) == (shape.height, shape.width) else {
      throw FileError(
        .damaged, "image size", path: store.path(of: name),
        expected: "\(shape.height) rows of \(shape.width) pixels, as \(names[0]) has",
        found: "\(image.height) rows of \(image.width)", hint: "--size resizes them all")
    }
    return image.pixels
  }

  private static func decoded(_ name: FileName, _ store: ImageStore) throws(FileError)
    -> DecodedImage
  {
    let path = store.path(of: name)
    let image = try store.content(of: name).withUnsafeBufferPointer {
      (bytes) throws(FileError) -> DecodedImage in
      try ImageDecoder().decode(
        UnsafeRawBufferPointer(bytes), of: path, requiring: ImageRequirement())
    }
    return image.inColour
  }
}
