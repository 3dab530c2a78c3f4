import LatheNN
import LatheTensors

/// A fixed map from images to vectors.
///
/// The vector of an image does not depend on the images beside it. Networks run on passes of one
/// size, whatever the number of images, because the rounding of a matmul may depend on its size.
public protocol FeatureExtractor {
  /// What to print beside a number computed from these features: `inception-768 (tensorflow
  /// resize)`.
  var name: String { get }
  /// Length of a vector; nil if it is that of an image.
  var dimensions: Int? { get }
  /// What a distance between sets of these vectors is called: "FID" is that of Inception's 2048 and
  /// nothing else.
  var distanceName: String { get }

  /// What the user should know before its features are computed, a sentence each: weights that were
  /// converted.
  var remarks: [String] { get }

  /// The features of images in [0, 1].
  ///
  /// Shapes: `[N, H, W, C]` → `[N, dimensions]`.
  /// - Throws: ``FeatureError`` if the images have a number of channels that it can't use.
  func features(of images: Tensor) throws -> Features
}

extension FeatureExtractor {
  public var remarks: [String] { [] }

  /// Length of a vector for images of a shape.
  public func dimensions(for images: ImageShape) -> Int { dimensions ?? images.count }

  /// The distance's name as a part of a score's name: `fid-768`, `proxy-distance`.
  public var scoreName: String {
    distanceName.lowercased().replacing(" ", with: "-")
  }

  /// For a protocol: `features inception-768 (tensorflow resize), 768-d`.
  public func summary(for images: ImageShape) -> String {
    "features \(name), \(dimensions(for: images))-d"
  }
}

/// The pixels themselves, for images so small or so artificial that no network has seen the like.
public struct Pixels: FeatureExtractor {
  public let name = "pixels"
  public let dimensions: Int? = nil
  public let distanceName = "pixel distance"

  public init() {}

  /// Shapes: `[N, H, W, C]` → `[N, H · W · C]`.
  public func features(of images: Tensor) throws(FeatureError) -> Features {
    Features(images.values, dimensions: images.shape.count / max(images.shape[0], 1))
  }
}

/// Runs `network` on passes of exactly `size` images, the last filled up with repeats of the last
/// image.
///
/// Shapes: `[N, H, W, C]`; `network` maps `[size, H, W, C]` to `[size, dimensions]`.
func featuresInPasses(
  of images: Tensor, size: Int, dimensions: Int, _ network: (Tensor) -> Tensor
) -> Features {
  let count = images.shape[0]
  var values: [Float] = []
  values.reserveCapacity(count * dimensions)
  for first in stride(from: 0, to: count, by: size) {
    let pass = images.detached.gather((first..<first + size).map { min($0, count - 1) })
    values += network(pass).values.prefix(min(size, count - first) * dimensions)
  }
  return Features(values, dimensions: dimensions)
}
