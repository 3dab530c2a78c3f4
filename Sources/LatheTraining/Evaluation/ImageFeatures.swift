import LatheNN
import LatheData
import Foundation
import LatheMetrics
import LatheTensors

/// What stands for an image when distributions of images are compared.
public struct ImageFeatures {
  /// Length of a vector.
  public let dimensions: Int
  /// The Fréchet distance by these features, as a part of a score's name: `fid-768`,
  /// `proxy-distance`.
  public let distanceName: String
  /// In words, for the protocol.
  public let description: String
  /// Vectors one after another for images `[n, H, W, C]` in [0, 1].
  public let extract: (Tensor) throws -> [Float]

  public init(
    dimensions: Int, distanceName: String, description: String,
    extract: @escaping (Tensor) throws -> [Float]
  ) {
    self.dimensions = dimensions
    self.distanceName = distanceName
    self.description = description
    self.extract = extract
  }

  /// Those of an extractor, for images of a shape.
  public init(_ extractor: any FeatureExtractor, for shape: ImageShape) {
    let dimensions = extractor.dimensions ?? shape.count
    self.init(
      dimensions: dimensions,
      distanceName: extractor.distanceName.lowercased().replacingOccurrences(of: " ", with: "-"),
      description: "features \(extractor.name), \(dimensions)-d"
    ) { try extractor.features(of: $0).values }
  }
}
