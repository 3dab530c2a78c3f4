import LatheMetrics

/// What is measured, and under which protocol.
public struct EvaluationSettings: Codable, Equatable, Sendable {
  /// A group of numbers.
  public enum Metric: String, Codable, CaseIterable, Sendable {
    /// Squared error per pixel of reconstructions.
    case error
    /// Structural similarity of reconstructions.
    case ssim
    /// Fréchet distance of generated and of reconstructed images.
    case fid
    /// Fréchet distance of decoded mid-points of pairs of codes.
    case interpolation
    /// Precision and recall for distributions.
    case prd
    /// Kernel distance of generated images.
    case kid
    /// Density and coverage.
    case coverage
    /// Correlation and covariance of codes, active dimensions.
    case latent
    /// Bound on the likelihood, for models that have one.
    case bound
  }

  /// What becomes of a made image's values, clipped to [0, 1], before features are taken.
  public enum Rounding: String, Codable, CaseIterable, Sendable {
    /// They stay as they are.
    case none
    /// To the nearest of 256 levels.
    case nearest
    /// To the next lower of 256 levels, as programs do that write made images to 8-bit files by
    /// truncation.
    case down
  }

  public var metrics: [Metric]
  /// Samples of each kind; of the reference at most as many as there are.
  public var samples: Int
  /// Whether each made image is stretched to [0, 1], its least value to 0 and its greatest to 1.
  public var minmax: Bool
  public var rounding: Rounding
  /// What samples, pairs and subsets are drawn from.
  public var seed: UInt64

  public init(
    metrics: [Metric] = Metric.allCases, samples: Int = 10_000, minmax: Bool = false,
    rounding: Rounding = .none, seed: UInt64 = 0
  ) {
    self.metrics = metrics
    self.samples = samples
    self.minmax = minmax
    self.rounding = rounding
    self.seed = seed
  }

  /// What is done to made images, in words.
  var treatment: String {
    let range = minmax ? "each made image stretched to [0, 1]" : "made images clipped to [0, 1]"
    switch rounding {
    case .none: return range + ", not rounded"
    case .nearest: return range + ", rounded to 8 bits"
    case .down: return range + ", truncated to 8 bits"
    }
  }
}
