import Foundation
import LatheData
import LatheDistributed
import LatheFiles
import LatheMetrics
import LatheNN
import LatheTensors
import LatheTraining
import SystemPackage

/// What `lathe fid` compares: images, or statistics that somebody computed.
struct StatisticsSource {
  /// What is known of a set.
  enum Content {
    case features(Features)
    case statistics(FeatureStatistics)

    /// Mean and covariance.
    func statistics() throws(ScoreError) -> FeatureStatistics {
      switch self {
      case .features(let features): try FeatureStatistics(of: features)
      case .statistics(let statistics): statistics
      }
    }

    /// Samples; nil if nobody knows.
    var count: Int? {
      if case .features(let features) = self { features.count } else { nil }
    }

    /// Length of a vector.
    var dimensions: Int {
      switch self {
      case .features(let features): features.dimensions
      case .statistics(let statistics): statistics.dimensions
      }
    }

    /// In words.
    func summary(_ samples: String) -> String {
      let unknown = "statistics; how their images were preprocessed is not known"
      let origin = count.map { "\($0) \(samples)" } ?? unknown
      return "\(origin), \(dimensions)-d"
    }
  }

  let path: FilePath
  private var given: FeatureStatistics?
  private var images: PictureFiles?
  /// Of a packed file or arrays.
  private var packed: [ImageSet]
  /// Whether its images are vectors.
  private(set) var isVectors: Bool
  /// What its samples are.
  var samples: String { isVectors ? "vectors" : "images" }

  /// A folder of pictures, a packed file, or an array file: statistics if it has `mu` or `sigma`,
  /// else images or vectors.
  ///
  /// - Throws: `FileError` if there is nothing, or it is damaged.
  init(_ path: FilePath, split: Split?, size: Int?, range: ValueRange?) throws {
    self.path = path
    (given, images, packed, isVectors) = (nil, nil, [], false)
    if ArrayImages.isNamed(path), !FileSystem.isFolder(path) {
      if path.extension?.lowercased() == "npz", try ArrayImages.areStatistics(path) {
        given = try FeatureStatistics(reading: path)
      } else {
        try readArrays(split, range)
      }
    } else if PackedFile.isPacked(path) {
      let file = try PackedFile(path)
      let splits = split.map { [$0] } ?? Split.allCases
      let sets = splits.compactMap { try? file.images($0) }
      packed = sets.isEmpty ? [try file.images(splits[0])] : sets
    } else {
      try Self.refuseOtherFiles(path)
      images = try PictureFiles(path, size: size)
      images?.notes.forEach { note("\(path): \($0)") }
    }
  }

  /// Vectors are measured as they are, images in their range.
  private mutating func readArrays(_ split: Split?, _ range: ValueRange?) throws {
    let file = try ArrayImages(path)
    file.notes(forAll: split == nil).forEach { note("\(path): \($0)") }
    isVectors = file.isVectors
    let used = file.isVectors ? .unit : range ?? .unit
    if !file.isVectors { note("\(path): \(try file.description(of: used))") }
    packed =
      try split.map { [try file.images($0, range: used, isBounded: !isVectors)] }
      ?? file.all(range: used, isBounded: !isVectors)
  }

  /// - Throws: `FileError` (damaged) for a file, which says what it is if that is known.
  private static func refuseOtherFiles(_ path: FilePath) throws(FileError) {
    guard FileSystem.isFile(path) else { return }
    let file = try OpenFile(reading: path)
    let start = try file.bytes(at: 0, count: min(try file.size(), 2048))
    throw FileError(
      .damaged, "images", path: path,
      expected: "a folder of pictures, a packed file, .npy or .npz",
      found: contentKind(start) ?? "another file")
  }

  /// The shape of its images; nil for statistics.
  var shape: ImageShape? { images?.shape ?? packed.first?.shape }

  /// Length of the vectors that the extractor, or whoever computed the statistics, makes of it; nil
  /// if neither is known.
  func dimensions(_ extractor: (any FeatureExtractor)?) -> Int? {
    given?.dimensions ?? shape.flatMap { extractor?.dimensions(for: $0) }
  }

  /// Its images; nil for statistics.
  private var count: Int? {
    given == nil ? images?.count ?? packed.reduce(0) { $0 + $1.count } : nil
  }

  /// - Throws: `CommandFailure` (65) if its images are too few, or their vectors too long, for a
  ///   covariance.
  func requireCovariance(_ extractor: (any FeatureExtractor)?) throws {
    if let count, count < 2 {
      throw CommandFailure.data(
        "\(path): expected at least 2 images for a covariance, found \(count)")
    }
    if let length = dimensions(extractor), length > FeatureStatistics.maximumDimensions {
      throw CommandFailure.data(
        "\(path): expected vectors of at most \(FeatureStatistics.maximumDimensions) dimensions, "
          + "found \(length); --size makes the images smaller")
    }
  }

  /// Its images' features, or the statistics, on rank 0; nil elsewhere. Collective.
  func content(
    _ extractor: (any FeatureExtractor)?, on world: Communicator, progress: TaskProgress
  ) throws -> Content? {
    if let given { return world.rank == 0 ? .statistics(given) : nil }
    guard let extractor, let shape else { return nil }
    func content(of count: Int, _ images: (Range<Int>) throws -> Tensor) throws -> Content? {
      let features = try extractor.features(
        of: count, shape: shape, on: world,
        progress: { progress.show("\($0) of \(path)", $1, $2) }, images)
      return features.map { .features($0) }
    }
    if let images { return try content(of: images.count) { try images.tensor($0) } }
    let ends = packed.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    return try content(of: ends.last!) { packedImages($0, ends: ends, shape: shape) }
  }

  /// Images of the packed sets taken one after another; `ends` are the sums of their counts.
  private func packedImages(_ range: Range<Int>, ends: [Int], shape: ImageShape) -> Tensor {
    let values = range.flatMap { number in
      let set = ends.lastIndex { $0 <= number }!
      return packed[set].tensor(number - ends[set]..<number - ends[set] + 1).values
    }
    return Tensor(values, shape: [range.count, shape.height, shape.width, shape.channels])
  }
}
