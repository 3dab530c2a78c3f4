import LatheFiles
import LatheNN
import SystemPackage

/// Images or vectors in a `.npy` or `.npz` file, uint8 or float32.
///
/// Shapes: `[N, H, W, 1 or 3]`, `[N, H, W]`, or vectors `[N, d]`, which are images of 1 × d. Levels
/// stand for level / 255, floats are shares of a ``ValueRange``.
public struct ArrayImages: Sendable {
  public let path: FilePath
  public let shape: ImageShape
  /// Whether the arrays are of vectors.
  public let isVectors: Bool
  /// The splits that there are images for.
  public let splits: [Split]
  /// Whether the file says which images are for training and which for testing.
  public var hasParts: Bool { parts.parts[nil] == nil }
  /// What is to be known of what is read and what not, a line each.
  public var notes: [String] { notes(forAll: false) }
  private let file: NumPyFile
  private let parts: ArrayParts
  private let labels: ArrayLabels

  /// Reads names, shapes and labels.
  ///
  /// - Throws: `FileError`: missing, or damaged if it is not clear which arrays are meant, or they
  ///   are no images.
  public init(_ path: FilePath) throws(FileError) {
    let file = try NumPyFile(path)
    let parts = try ArrayParts(file)
    let all = parts.parts.values.sorted { $0.images < $1.images }
    (self.path, self.file, self.parts) = (path, file, parts)
    let first = try Self.shape(all[0].images, file)
    (shape, isVectors) = (first.image, first.isVector)
    for part in all.dropFirst() {
      let other = try Self.shape(part.images, file)
      guard other.image == shape else {
        throw FileError(
          .damaged, "shape of \(part.images)", path: path,
          expected: "images of \(shape), as \(all[0].images) has", found: "\(other.image)")
      }
    }
    labels = try ArrayLabels(parts, file)
    splits = try parts.splits { (part) throws(FileError) in try file.header(part.images).shape[0] }
  }

  /// The same, where splits matter or where all images are read.
  public func notes(forAll: Bool) -> [String] {
    let unread = parts.others.isEmpty ? nil : "not read: \(parts.others.joined(separator: ", "))"
    return [forAll ? nil : parts.note, labels.note, unread].compactMap { $0 }
  }

  /// Whether a path names an array file by its ending, `.npy` or `.npz`.
  public static func isNamed(_ path: FilePath) -> Bool { NumPyFile.isNamed(path) }

  /// Whether a file has statistics, `mu` and `sigma`, and no images.
  public static func areStatistics(_ path: FilePath) throws(FileError) -> Bool {
    let names = try NumPyFile(path).names
    return names.contains("mu") || names.contains("sigma")
  }

  /// What the arrays are, in words.
  public func description(of range: ValueRange) throws(FileError) -> String {
    let headers = try parts.parts.values.map { (part) throws(FileError) in
      try file.header(part.images)
    }
    let count = headers.reduce(0) { $0 + $1.shape[0] }
    let what = isVectors ? "\(count) vectors of \(shape.width)" : "\(count) images of \(shape)"
    let type = headers[0].typeInWords
    guard type != "uint8" else { return "\(what), levels 0 to 255" }
    let read = type == "float32" ? type : "\(type), read as float32"
    return "\(what), \(read), " + (range == .unit ? "in [0, 1]" : "\(range) becomes [0, 1]")
  }

  /// The names of classes, numbers; empty without labels.
  public var classNames: [String] { labels.classNames }

  private static func shape(
    _ name: String, _ file: NumPyFile
  ) throws(FileError) -> (image: ImageShape, isVector: Bool) {
    let header = try file.header(name)
    let sizes = header.shape
    let isImage = (3...4).contains(sizes.count) && (sizes.count == 3 || [1, 3].contains(sizes[3]))
    let isPossible =
      sizes.allSatisfy { $0 > 0 } && sizes.dropFirst().allSatisfy { $0 <= mostPixels }
      && sizes.dropFirst().reduce((1)) { min($0 * $1, mostPixels + 1) } <= mostPixels
    guard isPossible, sizes.count == 2 || isImage else {
      let isPlanes = sizes.count == 4 && [1, 3].contains(sizes[1])
      throw FileError(
        .damaged, "shape", path: file.path(of: name),
        expected: "[N, H, W, 1 or 3], [N, H, W] or [N, d], with at most 2²⁶ values each",
        found: header.summary,
        hint: isPlanes ? "Channels come last here: np.transpose(x, (0, 2, 3, 1))" : nil)
    }
    if sizes.count == 2 { return (ImageShape(height: 1, width: sizes[1], channels: 1), true) }
    let channels = sizes.count == 4 ? sizes[3] : 1
    return (ImageShape(height: sizes[1], width: sizes[2], channels: channels), false)
  }

  /// Values of an image, as pixels of a picture.
  private static let mostPixels = 1 << 26
}

// MARK: Values

extension ArrayImages {
  /// The smallest and the largest float of all arrays; nil for levels.
  ///
  /// - Throws: `FileError` (damaged) for a number that is not finite.
  public func extremes() throws(FileError) -> (low: Float, high: Float)? {
    var found: (low: Float, high: Float)?
    for part in parts.parts.values {
      guard let own = try extremes(records(part.images, .unit), part.images) else { continue }
      found = (min(own.low, found?.low ?? own.low), max(own.high, found?.high ?? own.high))
    }
    return found
  }

  /// The range that vectors have: from the smallest to the largest value; nil for images and
  /// levels.
  ///
  /// - Throws: `FileError` (damaged) for a number that is not finite, and for values that are all
  ///   equal.
  public func vectorRange() throws(FileError) -> ValueRange? {
    guard isVectors, let (low, high) = try extremes() else { return nil }
    guard let range = ValueRange(low, high) else {
      throw FileError(
        .damaged, "values", path: path, expected: "more than one value", found: "\(low) to \(high)")
    }
    return range
  }

  private func records(_ name: String, _ range: ValueRange) throws(FileError) -> ArrayRecords {
    ArrayRecords(numbers: try file.numbers(name), size: shape.count, range: range)
  }

  private func extremes(
    _ records: ArrayRecords, _ name: String
  ) throws(FileError) -> (low: Float, high: Float)? {
    do throws(ArrayRecords.NotFinite) { return try records.extremes() } catch {
      let (row, column) = (error.place / shape.channels).quotientAndRemainder(
        dividingBy: shape.width)
      let place = (isVectors ? "" : "\(row), ") + "\(column)"
      throw FileError(
        .damaged, "values", path: file.path(of: name), expected: "finite numbers",
        found: "NaN or infinity at [\(error.record), \(place)]")
    }
  }

  /// The images of a split; without a split, all that a file without parts has.
  ///
  /// `range` says what floats mean; one that lies outside is an error unless `isBounded` is false.
  /// - Throws: `FileError`: missing if there are none, damaged for such a float.
  public func images(
    _ split: Split?, range: ValueRange, isBounded: Bool = true
  ) throws(FileError) -> ImageSet {
    let whole = parts.parts[nil].map { (part: $0, share: ArrayParts.Share.all) }
    guard let (part, share) = split.map({ parts.source(of: $0) }) ?? whole else {
      throw missing(split)
    }
    let set = try set(of: part, as: split ?? .test, range, isBounded)
    let rows = share.rows(of: set.count)
    guard !rows.isEmpty else { throw missing(split) }
    return rows.count == set.count ? set : set.part(rows, as: split ?? .test)
  }

  private func set(
    of part: ArrayParts.Part, as split: Split, _ range: ValueRange, _ isBounded: Bool
  ) throws(FileError) -> ImageSet {
    let records = try records(part.images, range)
    if let (low, high) = try extremes(records, part.images), isBounded {
      try requireInside(range, low, high, part.images)
    }
    return ImageSet(
      name: Dataset.arraysName, split: split, shape: shape, records: records,
      labels: labels.labels(of: part.images, count: records.count), classNames: classNames)
  }

  private func requireInside(
    _ range: ValueRange, _ low: Float, _ high: Float, _ name: String
  ) throws(FileError) {
    guard low < range.low || high > range.high else { return }
    let own = ValueRange(low, high)?.description ?? "\(low)"
    throw FileError(
      .damaged, "values", path: file.path(of: name), expected: "in \(range)", found: own,
      hint: "Say with --range LOW,HIGH which values stand for black and white")
  }

  /// The images of every part, in the order train, validation, test; of a file without parts, all.
  public func all(range: ValueRange, isBounded: Bool = true) throws(FileError) -> [ImageSet] {
    if !hasParts { return [try images(nil, range: range, isBounded: isBounded)] }
    var sets: [ImageSet] = []
    for split in Split.allCases where parts.parts[split] != nil {
      let all = try set(of: parts.parts[split]!, as: split, range, isBounded)
      sets.append(all)
    }
    return sets
  }

  private func missing(_ split: Split?) -> FileError {
    let word = split?.rawValue ?? "one"
    return FileError(
      .missing, "\(Dataset.arraysName), \(word) split", path: path,
      expected: split == .test ? "images for testing, or at least 10" : "images",
      found: "\(file.summary)")
  }
}
