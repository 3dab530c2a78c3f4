import LatheFiles
import LatheNN
import SystemPackage

/// Arrays of a file, as a data set.
struct ArrayOrigin: Sendable {
  /// The file; nil if only its shape is known, as of a saved run.
  var path: FilePath?
  let range: ValueRange
  let isVectors: Bool
  var notes: [String] = []
}

extension Dataset {
  static let arraysName = "arrays"

  /// Images or vectors in a `.npy` or `.npz` file; without one, the entry of the registry.
  public static let arrays = arrays(of: [1, 1, 1], range: .unit)!

  /// The arrays of a file.
  ///
  /// Without a range, images have values in [0, 1], and vectors that of their smallest and largest
  /// value.
  /// - Throws: `FileError`.
  public static func arrays(
    at path: FilePath, range: ValueRange? = nil
  ) throws(FileError) -> Dataset {
    let images = try ArrayImages(path)
    let own = range == nil ? try images.vectorRange() : nil
    let used = range ?? own ?? .unit
    let values = try images.description(of: used)
    return Dataset(
      name: arraysName, summary: arrays.summary, shape: images.shape, splits: images.splits,
      classNames: images.classNames,
      origin: .arrays(
        ArrayOrigin(
          path: path, range: used, isVectors: images.isVectors, notes: [values] + images.notes)))
  }

  /// Arrays of a shape, `[height, width, channels]` or `[d]`, whose file `load` will be told; nil
  /// for other shapes.
  public static func arrays(of shape: [Int], range: ValueRange) -> Dataset? {
    let sizes = shape.count == 1 ? [1, shape[0], 1] : shape
    guard sizes.count == 3, sizes.allSatisfy({ (1...1 << 26).contains($0) }) else { return nil }
    return Dataset(
      name: arraysName, summary: "images or vectors in a NumPy file, .npy or .npz",
      shape: ImageShape(height: sizes[0], width: sizes[1], channels: sizes[2]),
      splits: Split.allCases,
      origin: .arrays(ArrayOrigin(range: range, isVectors: shape.count == 1)))
  }

  static let arrayInstructions =
    "Name the file, as in `lathe train flexae codes.npy`, or with --data FILE"

  /// Whether the data set is arrays of a file.
  public var isArrays: Bool { arrayOrigin != nil }

  /// Whether its images are vectors, which no picture shows.
  public var isVectors: Bool { arrayOrigin?.isVectors ?? false }

  /// What is to be known of how its arrays are read, a line each.
  public var notes: [String] { arrayOrigin?.notes ?? [] }

  /// What the values of its arrays mean; nil if it has none.
  public var range: ValueRange? { arrayOrigin?.range }

  /// The shape that tells ``arrays(of:range:)`` what this set is; nil if it has no arrays.
  public var arrayShape: [Int]? {
    guard isArrays else { return nil }
    return isVectors ? [shape.width] : [shape.height, shape.width, shape.channels]
  }

  private var arrayOrigin: ArrayOrigin? {
    guard case .arrays(let origin) = origin else { return nil }
    return origin
  }

  /// A split of an array file in the place of the data set's own files.
  func loadArrays(_ split: Split, of path: FilePath) throws(FileError) -> ImageSet {
    let set = try ArrayImages(path).images(split, range: .unit)
    guard set.shape == shape else {
      throw FileError(
        .damaged, "shape", path: path, expected: "images of \(shape), as \(name) has",
        found: "\(set.shape)")
    }
    let hasNames = set.labels.allSatisfy { Int($0) < classNames.count }
    return ImageSet(
      name: name, split: split, shape: shape, pixels: set.pixels, labels: set.labels,
      classNames: hasNames ? classNames : set.classNames, attributes: nil, identities: nil,
      digest: set.digest, rows: set.rows)
  }

  func loadArrays(
    _ split: Split, _ origin: ArrayOrigin, at place: FilePath?
  ) throws(FileError) -> ImageSet {
    guard let path = place ?? origin.path else {
      throw FileError(
        .missing, "\(name), \(split.rawValue) split", expected: "a .npy or .npz file",
        found: "none named", hint: Self.arrayInstructions)
    }
    return try ArrayImages(path).images(split, range: origin.range)
  }
}
