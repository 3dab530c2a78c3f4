import LatheDistributed
import LatheMetrics
import LatheNN
import LatheTensors

extension FeatureExtractor {
  /// Mean and covariance of the features of images 0 ..< `count`, on rank 0; nil elsewhere.
  /// Collective: the ranks share the work.
  ///
  /// `images` makes those of a range, `[n, H, W, C]` in [0, 1].
  /// - Throws: `ScoreError` for fewer than 2 images, and what `images` and the extractor throw.
  public func statistics(
    of count: Int, shape: ImageShape, on world: Communicator, progress: @escaping Progress,
    _ images: (Range<Int>) throws -> Tensor
  ) throws -> FeatureStatistics? {
    let work = SharedWork(world: world, progress: progress)
    let values: [Float]? = try work.gather("features", count) {
      try features(of: images($0)).values
    }
    return try values.map {
      try FeatureStatistics(of: Features($0, dimensions: dimensions(for: shape)))
    }
  }
}
