import LatheFiles
import LatheNN

/// Which part of a data set.
public enum Split: String, CaseIterable, Hashable, Sendable, Codable {
  /// What the model is fitted to.
  case train
  /// What hyperparameters are chosen by.
  case validation
  /// What it is evaluated on.
  case test

  /// The word that follows "for" in a message.
  var purpose: String {
    switch self {
    case .train: "training"
    case .validation: "validation"
    case .test: "testing"
    }
  }
}

/// The images of one split with their labels: records of uint8 or float32, NHWC, in the order of
/// the files, in memory or in a mapped file.
public struct ImageSet: Sendable {
  /// The data set's name in the registry.
  public let name: String
  /// Which part of the data set this is.
  public let split: Split
  /// The shape of every image.
  public let shape: ImageShape
  /// The class of each image, `[count]`; all zero if the data set has no classes.
  public let labels: [UInt8]
  /// The name of each class; empty if the data set has no classes.
  public let classNames: [String]
  /// CRC-32 of shape, pixels and labels, eight hexadecimal digits: equal content, equal digest.
  public let digest: String

  /// Yes-or-no attributes of the images; nil if the data set has none.
  public let attributes: ImageAttributes?
  /// The person each image shows, `[count]`; nil if that is not known.
  public let identities: [Int32]?
  /// What each image was generated from, `[count, factors]`; nil if that is not known.
  public private(set) var factors: [Float]?

  let pixels: Pixels
  /// Which record in `pixels` each image is; nil for one after another.
  let rows: [Int]?

  /// Where the values lie.
  enum Pixels: Sendable {
    case memory([UInt8])
    /// In a file from `start` on, and from `checksums` on the CRC-32 of each image.
    case mapped(MappedFile, start: Int, checksums: Int)
    case array(ArrayRecords)
  }

  /// A set of images held in memory.
  ///
  /// Shapes: `pixels` is `[N, height, width, channels]`, `labels` is `[N]`; N must be at least 1,
  /// and each label below the number of class names (zero if there are none).
  public init(
    name: String, split: Split, shape: ImageShape, pixels: [UInt8], labels: [UInt8],
    classNames: [String]
  ) {
    require(!labels.isEmpty, "ImageSet \(name): no images")
    require(
      pixels.count == labels.count * shape.count,
      "ImageSet \(name): \(pixels.count) values for \(labels.count) images of \(shape)")
    let classCount = max(classNames.count, 1)
    let highest = labels.reduce(0, max)
    require(
      highest < classCount, "ImageSet \(name): label \(highest) of \(classCount) classes")
    self.name = name
    self.split = split
    self.shape = shape
    self.pixels = .memory(pixels)
    self.labels = labels
    self.classNames = classNames
    attributes = nil
    identities = nil
    rows = nil
    digest = Self.digest(of: shape, pixels: pixels, labels: labels)
  }

  /// Images in an array, for a program's own data: uint8, `[N, height, width, channels]`.
  ///
  /// `labels`, `[N]`, are zero if not given. See
  /// ``Dataset/init(_:summary:train:validation:test:)``.
  public init(
    images: [UInt8], shape: ImageShape, labels: [UInt8]? = nil, classNames: [String] = []
  ) {
    let zeros = [UInt8](repeating: 0, count: images.count / shape.count)
    self.init(
      name: "images", split: .train, shape: shape, pixels: images, labels: labels ?? zeros,
      classNames: classNames)
  }

  /// Float values in [0, 1], images or vectors `[N, height, width, channels]`, as levels of 8 bits:
  /// clipped, times 255, rounded. They come back as multiples of 1/255.
  public init(
    values: [Float], shape: ImageShape, labels: [UInt8]? = nil, classNames: [String] = []
  ) {
    require(values.allSatisfy(\.isFinite), "ImageSet: a value that is not finite")
    let levels = values.map { UInt8((min(max($0, 0), 1) * 255).rounded()) }
    self.init(images: levels, shape: shape, labels: labels, classNames: classNames)
  }

  /// The same images under another name.
  func renamed(_ name: String, _ split: Split) -> ImageSet {
    ImageSet(
      name: name, split: split, shape: shape, pixels: pixels, labels: labels,
      classNames: classNames, attributes: attributes, identities: identities, digest: digest,
      rows: rows
    ).with(factors: factors)
  }

  /// The same images with what they were generated from, `[count, factors]`.
  func with(factors: [Float]?) -> ImageSet {
    require(
      factors.map { !$0.isEmpty && $0.count.isMultiple(of: count) } ?? true,
      "ImageSet \(name): \(factors?.count ?? 0) factors of \(count) images")
    var set = self
    set.factors = factors
    return set
  }

  /// A set whose values and labels have been checked.
  init(
    name: String, split: Split, shape: ImageShape, pixels: Pixels, labels: [UInt8],
    classNames: [String], attributes: ImageAttributes?, identities: [Int32]?, digest: String,
    rows: [Int]? = nil
  ) {
    self.name = name
    self.split = split
    self.shape = shape
    self.pixels = pixels
    self.labels = labels
    self.classNames = classNames
    self.attributes = attributes
    self.identities = identities
    self.digest = digest
    self.rows = rows
  }

  /// Images or vectors in an array.
  init(
    name: String, split: Split, shape: ImageShape, records: ArrayRecords, labels: [UInt8],
    classNames: [String]
  ) {
    var digest = Self.startOfDigest(shape)
    for record in 0..<records.count { records.withBytes(of: record) { digest.update($0) } }
    digest.update(labels)
    if !records.isLevels { digest.update(Array("\(records.range)".utf8)) }
    self.init(
      name: name, split: split, shape: shape, pixels: .array(records), labels: labels,
      classNames: classNames, attributes: nil, identities: nil, digest: digest.hexadecimal)
  }

  /// The number of images.
  public var count: Int { labels.count }

  /// Whether images are levels of 8 bits, and not floats of an array.
  public var hasLevels: Bool {
    guard case .array(let records) = pixels else { return true }
    return records.isLevels
  }

  /// Calls `body` with the levels of image `index`, `[height, width, channels]`, 0 to 255; the set
  /// must have levels.
  ///
  /// The buffer is valid only during the call.
  public func withImage<Result>(
    _ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    require(hasLevels, "ImageSet \(name): levels of an image of floats")
    return withBytes(index) { body($0.bindMemory(to: UInt8.self)) }
  }

  /// Calls `body` with the bytes of image `index`, levels or floats as they are stored.
  func withBytes<Result>(
    _ index: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    require(index >= 0 && index < count, "ImageSet \(name): image \(index) of \(count)")
    let row = rows?[index] ?? index
    let range = row * shape.count..<(row + 1) * shape.count
    switch pixels {
    case .memory(let values):
      return values.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .mapped(let file, let start, _):
      defer { withExtendedLifetime(file) {} }
      let bytes = file.bytes[start + range.lowerBound..<start + range.upperBound]
      return body(UnsafeRawBufferPointer(rebasing: bytes))
    case .array(let records): return records.withBytes(of: row, body)
    }
  }

  /// Writes the values of image `index`, `[height, width, channels]`: levels / 255, or floats as
  /// shares of their range.
  public func copyValues(of index: Int, to target: UnsafeMutablePointer<Float>) {
    if case .array(let records) = pixels, !records.isLevels {
      require(index >= 0 && index < count, "ImageSet \(name): image \(index) of \(count)")
      return records.copy(rows?[index] ?? index, to: target)
    }
    withImage(index) { convertPixels($0.baseAddress!, to: target, count: $0.count) }
  }

  /// A copy of these values.
  public func values(of index: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: shape.count) {
      copyValues(of: index, to: $0.baseAddress!)
      $1 = shape.count
    }
  }

  /// Compares an image of a packed file with its CRC-32.
  ///
  /// - Throws: `FileError` (damaged) with its offset.
  func verify(_ index: Int) throws(FileError) {
    guard case .mapped(let file, let start, let checksums) = pixels else { return }
    let row = rows?[index] ?? index
    let offset = start + row * shape.count
    guard let record = file.part(at: offset, count: shape.count),
      let expected = file.integer(UInt32.self, at: checksums + 4 * row)
    else { return }
    let found = withExtendedLifetime(file) { Checksum(of: record).value }
    if found == expected { return }
    throw FileError(
      .damaged, "CRC-32 of image \(row) of the \(split.rawValue) split", path: file.path,
      offset: offset, expected: Checksum(expected).hexadecimal,
      found: Checksum(found).hexadecimal)
  }

  /// A copy of the values of image `index`, `[height, width, channels]`, 0 to 255.
  public func bytes(of index: Int) -> [UInt8] { withImage(index) { Array($0) } }

  private static func digest(of shape: ImageShape, pixels: [UInt8], labels: [UInt8]) -> String {
    var checksum = startOfDigest(shape)
    checksum.update(pixels)
    checksum.update(labels)
    return checksum.hexadecimal
  }

  static func startOfDigest(_ shape: ImageShape) -> Checksum {
    var checksum = Checksum()
    checksum.update(Array("\(shape.height) \(shape.width) \(shape.channels)\n".utf8))
    return checksum
  }
}
