import LatheFiles
import LatheNN
import SystemPackage

extension Dataset {
  /// Small photographs of ten kinds of things: Krizhevsky, "Learning Multiple Layers of Features
  /// from Tiny Images", 2009.
  public static let cifar10 = Dataset(
    name: "cifar10",
    summary: "photographs of ten kinds of things, 32 × 32 colour",
    shape: CIFARBatch.shape,
    officialCounts: [.train: 50_000, .test: 10_000],
    classNames: [
      "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ],
    origin: .places(
      PlaceOrigin(
        instructions: """
          To get it: lathe data get cifar10. Or put \
          https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz into data/cifar10 or the folder \
          cifar10 below $LATHE_DATA, packed or unpacked, or name the folder or the file
          """,
        contents: "cifar-10-binary.tar.gz or data_batch_1.bin … test_batch.bin",
        read: CIFARBatch.read)))
}

/// The binary version of CIFAR-10: records of one label byte and 3 × 1,024 bytes, red, green and
/// blue planes.
enum CIFARBatch {
  static let shape = ImageShape(height: 32, width: 32, channels: 3)
  static let recordSize = 1 + shape.count
  private static let folderName = "cifar-10-batches-bin"

  static func names(_ split: Split) -> [String] {
    split == .train ? (1...5).map { "data_batch_\($0).bin" } : ["test_batch.bin"]
  }

  /// Reads the split from a folder (or its `cifar-10-batches-bin`) or an archive; nil if neither is
  /// there.
  ///
  /// - Throws: `FileError` if a batch is missing, not a whole number of records, or has a label of
  ///   10 or more.
  @Sendable static func read(
    _ entry: Dataset, _ split: Split, _ place: FilePath
  ) throws(FileError) -> ImageSet? {
    if FileSystem.isFile(place) {
      try CIFARVariant.refuse(at: place, entry)
      return try images(entry, split, try unpacked(place, split))
    }
    for folder in folders(at: place) {
      let present = (names(.train) + names(.test)).contains {
        FileSystem.isFile(folder.appending($0))
      }
      if present { return try images(entry, split, try batches(entry, split, in: folder)) }
    }
    let archive = place.appending("cifar-10-binary.tar.gz")
    if FileSystem.isFile(archive) { return try images(entry, split, try unpacked(archive, split)) }
    try CIFARVariant.refuse(at: place, entry)
    return nil
  }

  /// A place, the folder that the archive unpacks to, and both below the one folder in the place.
  private static func folders(at place: FilePath) -> [FilePath] {
    let places = [place] + (FileSystem.onlyFolder(in: place).map { [$0] } ?? [])
    return places.flatMap { [$0, $0.appending(folderName)] }
  }

  private typealias Batch = (path: FilePath, bytes: [UInt8], isExpanded: Bool)

  private static func batches(
    _ entry: Dataset, _ split: Split, in folder: FilePath
  ) throws(FileError) -> [Batch] {
    var batches: [Batch] = []
    var left = Limit.images
    for name in names(split) {
      let path = folder.appending(name)
      guard FileSystem.isFile(path) else {
        throw FileError(
          .missing, "\(entry.name), \(split.rawValue) split", path: folder, expected: name,
          found: "no such file", hint: entry.instructions)
      }
      batches.append((path, try OpenFile(reading: path).contents(limit: left), false))
      left -= batches.last!.bytes.count
    }
    return batches
  }

  private static func unpacked(_ archive: FilePath, _ split: Split) throws(FileError) -> [Batch] {
    var tar = try TarGzip(archive)
    var found: [String: [UInt8]] = [:]
    let wanted = names(split)
    func last(_ name: String) -> String { name.split(separator: "/").last.map(String.init) ?? "" }
    var others: [String] = []
    while let (name, content) = try tar.next(where: { wanted.contains(last($0)) }) {
      if let content {
        found[last(name)] = content
      } else if others.count < 4 {
        others.append(name)
      }
    }
    var batches: [Batch] = []
    for name in wanted {
      guard let bytes = found[name] else {
        let variant = CIFARVariant(others)
        throw FileError(
          .damaged, "archive", path: archive, expected: "\(folderName)/\(name)",
          found: variant?.rawValue ?? "no such file in it",
          hint: variant == nil ? nil : Dataset.cifar10.instructions)
      }
      batches.append((archive.appending(name), bytes, true))
    }
    return batches
  }

  private static func images(_ entry: Dataset, _ split: Split, _ batches: [Batch])
    throws(FileError) -> ImageSet
  {
    let count = batches.reduce(0) { $0 + $1.bytes.count / recordSize }
    var (pixels, labels): ([UInt8], [UInt8]) = ([], [])
    pixels.reserveCapacity(count * shape.count)
    labels.reserveCapacity(count)
    for batch in batches {
      try check(batch, classes: entry.classNames.count)
      for start in stride(from: 0, to: batch.bytes.count, by: recordSize) {
        labels.append(batch.bytes[start])
        interleave(batch.bytes, from: start + 1, into: &pixels)
      }
    }
    return ImageSet(
      name: entry.name, split: split, shape: shape, pixels: pixels, labels: labels,
      classNames: entry.classNames)
  }

  private static func check(_ batch: Batch, classes: Int) throws(FileError) {
    let (records, rest) = batch.bytes.count.quotientAndRemainder(dividingBy: recordSize)
    guard records > 0, rest == 0 else {
      throw FileError(
        .damaged, "batch", path: batch.path, offset: records * recordSize,
        isExpandedOffset: batch.isExpanded,
        expected: "whole records of \(recordSize) bytes",
        found: "\(batch.bytes.count) bytes, \(records) records and \(rest) bytes")
    }
    for record in 0..<records where batch.bytes[record * recordSize] >= classes {
      throw FileError(
        .damaged, "label of record \(record)", path: batch.path, offset: record * recordSize,
        isExpandedOffset: batch.isExpanded, expected: "0 to \(classes - 1)",
        found: "\(batch.bytes[record * recordSize])")
    }
  }

  /// Planes to pixels.
  private static func interleave(_ bytes: [UInt8], from start: Int, into pixels: inout [UInt8]) {
    let plane = shape.height * shape.width
    bytes.withUnsafeBufferPointer { bytes in
      for place in start..<start + plane {
        pixels.append(bytes[place])
        pixels.append(bytes[place + plane])
        pixels.append(bytes[place + 2 * plane])
      }
    }
  }
}
