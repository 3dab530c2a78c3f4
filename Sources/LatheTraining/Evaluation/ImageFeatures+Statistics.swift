import LatheDistributed
import LatheMetrics
import LatheTensors

extension ImageFeatures {
  /// Mean and covariance of the features of images 0 ..< `count`, on rank 0; nil elsewhere.
  /// Collective.
  ///
  /// `images` makes those of a range, `[n, H, W, C]` in [0, 1]; the ranks share the work.
  public func statistics(
    count: Int, on world: Communicator, _ images: (Range<Int>) throws -> Tensor
  ) throws -> FeatureStatistics? {
    let work = SharedWork(world: world, beat: {})
    let values: [Float]? = try work.gather(count) { try extract(images($0)) }
    return try values.map { try FeatureStatistics(of: Features($0, dimensions: dimensions)) }
  }
}
