import LatheTensors

/// Mean and covariance of feature vectors: all that the Fréchet distance knows of a set of images.
public struct FeatureStatistics: Sendable, Equatable {
  /// Samples; nil when a file did not say.
  public let count: Int?
  /// `[dimensions]`.
  public let mean: [Double]
  /// Row-major, `[dimensions, dimensions]`, divided by the number of samples less one.
  public let covariance: [Double]

  /// Length of a vector.
  public var dimensions: Int { mean.count }

  /// The sum of the variances, Tr C.
  public var totalVariance: Double {
    (0..<dimensions).reduce(0) { $0 + covariance[$1 * dimensions + $1] }
  }

  /// - Throws: `ScoreError`: sizes that do not fit together, or numbers that are not finite.
  public init(count: Int?, mean: [Double], covariance: [Double]) throws(ScoreError) {
    if covariance.count != mean.count * mean.count {
      throw .sizes("covariance", expected: mean.count * mean.count, found: covariance.count)
    }
    if !mean.allSatisfy(\.isFinite) || !covariance.allSatisfy(\.isFinite) {
      throw .notFinite("feature statistics")
    }
    (self.count, self.mean, self.covariance) = (count, mean, covariance)
  }

  /// The largest vectors that a covariance is computed of, 2 GiB.
  public static let maximumDimensions = 16_384

  /// The largest that are read from a file, 128 MiB.
  public static let maximumDimensionsOfFile = 4096

  /// Of vectors in memory.
  ///
  /// - Throws: `ScoreError`: fewer than 2 samples, vectors of more than 16,384 dimensions, or
  ///   numbers that are not finite.
  public init(of features: Features) throws(ScoreError) {
    guard features.count >= 2 else {
      throw .tooFew("samples for a covariance", needed: 2, found: features.count)
    }
    guard features.dimensions <= Self.maximumDimensions else {
      throw .tooMany(
        "dimensions of a covariance", limit: Self.maximumDimensions, found: features.dimensions)
    }
    var moments = FeatureMoments(dimensions: features.dimensions)
    moments.add(features)
    self = try moments.statistics()
  }
}
