import LatheFiles
import LatheNN
import SystemPackage

/// A split as a pair of IDX files, images and labels, named as MNIST names them.
enum IDXPair {
  /// The names under which the two files may lie: with a hyphen or a dot, gzipped or not.
  static func names(_ split: Split) -> [[String]] {
    let prefix = split == .train ? "train" : "t10k"
    return ["images", "labels"].map { part in
      let type = part == "images" ? "idx3-ubyte" : "idx1-ubyte"
      return ["-", "."].flatMap { separator in
        ["\(prefix)-\(part)\(separator)\(type).gz", "\(prefix)-\(part)\(separator)\(type)"]
      }
    }
  }

  /// Reads the images from the first path and the labels from the second.
  ///
  /// - Throws: `FileError` if a file cannot be read or is damaged, has images of another shape
  ///   than the entry's, a label without a class, or if the two files differ in their counts.
  @Sendable static func read(
    _ entry: Dataset, _ split: Split, _ paths: [FilePath]
  ) throws(FileError) -> ImageSet {
    let images = try IDXFile(paths[0], rank: 3)
    let labels = try IDXFile(paths[1], rank: 1)
    try check(images, of: paths[0], has: entry.shape)
    try check(labels, of: paths[1], fits: images, classes: entry.classNames.count)
    return ImageSet(
      name: entry.name, split: split, shape: entry.shape, pixels: images.values,
      labels: labels.values, classNames: entry.classNames)
  }

  private static func check(_ images: IDXFile, of path: FilePath, has shape: ImageShape)
    throws(FileError)
  {
    guard images.sizes[1] == shape.height, images.sizes[2] == shape.width else {
      throw FileError(
        .damaged, "image size", path: path, offset: 8, isExpandedOffset: images.isExpanded,
        expected: "\(shape.height) × \(shape.width)",
        found: "\(images.sizes[1]) × \(images.sizes[2])")
    }
  }

  private static func check(
    _ labels: IDXFile, of path: FilePath, fits images: IDXFile, classes: Int
  ) throws(FileError) {
    guard labels.sizes[0] == images.sizes[0] else {
      throw FileError(
        .damaged, "number of labels", path: path, offset: 4, isExpandedOffset: labels.isExpanded,
        expected: "\(images.sizes[0]), as many as images", found: "\(labels.sizes[0])")
    }
    if let index = labels.values.firstIndex(where: { $0 >= classes }) {
      throw FileError(
        .damaged, "label \(index)", path: path, offset: IDXFile.headerSize(rank: 1) + index,
        isExpandedOffset: labels.isExpanded,
        expected: "0 to \(classes - 1)", found: "\(labels.values[index])")
    }
  }
}
