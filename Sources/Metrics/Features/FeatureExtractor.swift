import Tensors

/// A fixed map from images to vectors.
///
/// The vector of an image does not depend on the images beside it, so any cut of a set into batches, over any number of
/// ranks, gives the same features.
public protocol FeatureExtractor {
  /// What to print beside a number computed from these features: `inception-768 (tensorflow resize)`.
  var name: String { get }
  /// Length of a vector; nil if it is that of an image.
  var dimensions: Int? { get }
  /// What a distance between sets of these vectors is called: "FID" is that of Inception's 2048 and nothing else.
  var distanceName: String { get }

  /// The features of images in [0, 1].
  ///
  /// Shapes: `[N, H, W, C]` → `[N, dimensions]`.
  /// - Throws: ``FeatureError`` if the images have a number of channels that it can't use.
  func features(of images: Tensor) throws(FeatureError) -> Features
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
