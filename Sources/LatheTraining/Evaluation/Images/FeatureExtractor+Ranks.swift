import LatheDistributed
import LatheMetrics
import LatheNN
import LatheTensors

extension FeatureExtractor {
  /// The features of images 0 ..< `count` in their order, on rank 0; nil elsewhere. Collective: the
  /// ranks share the work.
  ///
  /// `images` makes those of a range, `[n, H, W, C]` in [0, 1].
  /// - Throws: what `images` and the extractor throw.
  package func features(
    of count: Int, shape: ImageShape, on world: Communicator, progress: @escaping Progress,
    _ images: (Range<Int>) throws -> Tensor
  ) throws -> Features? {
    let work = SharedWork(world: world, progress: progress)
    let values: [Float]? = try work.gather("features", count) {
      try features(of: images($0)).values
    }
    return values.map { Features($0, dimensions: dimensions(for: shape)) }
  }
}
