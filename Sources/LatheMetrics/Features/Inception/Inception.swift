import LatheFiles
import SystemPackage
import LatheTensors

/// Features of Inception-v3 of 2015-12-05, the network that FID is defined by.
///
/// 64, 192, 768 or 2048 dimensions: the outputs of its first and second max pool, of its last 17 ×
/// 17 block and of its last block, each channel averaged over the image.
public struct Inception: FeatureExtractor {
  /// Length of a vector.
  public let dimensions: Int?
  /// How images are made ready.
  public let preparation: InceptionPreparation
  public private(set) var remarks: [String] = []
  private let network: InceptionNetwork

  /// Images in a pass: weights are reordered in each, and activations should not leave the cache
  /// far behind.
  static let imagesInPass = 8

  /// Features of a length, with the weights in a safetensors file.
  ///
  /// The file holds, for each convolution, `NAME.weight` `[outputs, inputs, height, width]` and
  /// `NAME.bias` with batch normalisation folded into them; `launch/convert-inception` makes it. It
  /// may end early.
  /// - Throws: `FileError` if the file can't be read or has other shapes, ``FeatureError`` if it
  ///   doesn't reach so far.
  public init(
    dimensions: Int, preparation: InceptionPreparation = .init(), reading path: FilePath
  ) throws {
    let file = try Safetensors(reading: path)
    try Self.requireReach(file, path, dimensions)
    try self.init(dimensions: dimensions, preparation: preparation) {
      name, shape in
      let found = try file.shape(of: name)
      guard found == shape else {
        throw FileError(
          .mismatch, path: path, tensor: name, expected: "\(shape)", found: "\(found)")
      }
      let values = try file.values(name)
      try file.requireFinite(values, of: name)
      return values
    }
    let units = InceptionTable.stages(upTo: dimensions)!.flatMap(\.steps.units)
    remarks = file.remark(onTypesOf: units.flatMap { [$0.name + ".weight", $0.name + ".bias"] })
  }

  /// The same with weights from anywhere, by name and shape.
  init(
    dimensions: Int, preparation: InceptionPreparation,
    values: (_ name: String, _ shape: [Int]) throws -> [Float]
  ) throws {
    guard let stages = InceptionTable.stages(upTo: dimensions) else {
      throw FeatureError.noSuchDimensions(dimensions, known: InceptionTable.dimensions)
    }
    self.dimensions = dimensions
    self.preparation = preparation
    network = try InceptionNetwork(stages, values: values)
  }

  /// Lengths of the feature vectors for which a file has the weights, ascending.
  ///
  /// - Throws: `FileError` if the file can't be read.
  public static func dimensions(servedBy path: FilePath) throws(FileError) -> [Int] {
    dimensions(servedBy: try Safetensors(reading: path))
  }

  private static func dimensions(servedBy file: Safetensors) -> [Int] {
    InceptionTable.stages.prefix { missing(in: [$0], of: file).isEmpty }.compactMap(\.dimensions)
  }

  private static func missing(
    in stages: some Sequence<InceptionTable.Stage>, of file: Safetensors
  ) -> [String] {
    let names = Set(file.names)
    return stages.flatMap(\.steps.units).map(\.name)
      .filter { !names.contains($0 + ".weight") || !names.contains($0 + ".bias") }
  }

  private static func requireReach(
    _ file: Safetensors, _ path: FilePath, _ asked: Int
  ) throws(FeatureError) {
    guard let stages = InceptionTable.stages(upTo: asked) else {
      throw .noSuchDimensions(asked, known: InceptionTable.dimensions)
    }
    let missing = missing(in: stages, of: file)
    guard missing.isEmpty else {
      let reaches = dimensions(servedBy: file).last ?? 0
      throw .incomplete(path, reaches: reaches, asked: asked, missing: missing)
    }
  }
}

extension Inception {
  public var name: String { "inception-\(dimensions!) (\(preparation))" }

  public var distanceName: String { dimensions == 2048 ? "FID" : "FID-\(dimensions!)" }

  public func features(of images: Tensor) throws(FeatureError) -> Features {
    let channels = images.shape[3]
    guard channels == 1 || channels == 3 else {
      throw .channels(channels, extractor: name, expected: "1 or 3")
    }
    return withoutGradients {
      withPrecision(.float32) {
        featuresInPasses(of: images, size: Self.imagesInPass, dimensions: dimensions!) {
          network(preparation($0))
        }
      }
    }
  }
}
