import LatheMetrics

/// What an evaluation computes, and under which protocol.
public struct EvaluationSettings: Codable, Equatable, Sendable {
  /// A group of scores.
  public enum Metric: String, Codable, CaseIterable, Sendable {
    /// Squared error per pixel of reconstructions.
    case error
    /// Structural similarity of reconstructions.
    case ssim
    /// Fréchet distance of generated images and of reconstructions.
    case fid
    /// Fréchet distance of decoded mid-points of pairs of codes.
    case interpolation
    /// Precision and recall for distributions.
    case prd
    /// Kernel distance of generated images.
    case kid
    /// Precision and recall, density and coverage, by nearest neighbours.
    case coverage
    /// Correlation and covariance of codes, active dimensions.
    case latent
    /// Intrinsic dimension of codes.
    case dimension
    /// Negative evidence lower bound, for models that have one.
    case elbo
    /// What training minimises, for models whose phases have that in common.
    case loss

    /// −log p(x) by importance sampling, for models that have a density.
    case likelihood

    /// Fréchet distance of decoded draws of the aggregated posterior.
    case posterior
    /// Distance between the codes of the sampler and those of the aggregated posterior.
    case gap
    /// Whether generated images are nearer to training images than to reference images.
    case memorization

    /// What is computed unless something else is asked for: all but the loss, whose terms and
    /// weights differ from model to model, the likelihood, which takes long, and what needs
    /// training images.
    public static let standard = allCases.filter {
      $0 != .loss && $0 != .likelihood && !$0.needsTraining
    }

    /// Whether it is computed from training images, too.
    public var needsTraining: Bool { [.posterior, .gap, .memorization].contains(self) }

    /// Whether it is computed from codes of the sampler.
    var needsSampler: Bool { Self.ofSets.contains(self) || [.gap, .memorization].contains(self) }

    /// Whether it is computed from features of images.
    var needsFeatures: Bool {
      Self.ofSets.contains(self) || [.interpolation, .posterior, .memorization].contains(self)
    }

    /// The metric of that name; `bound` is the old name of `elbo`.
    public init?(named name: String) {
      self.init(rawValue: name == "bound" ? "elbo" : name)
    }
  }

  public var metrics: [Metric]
  /// Samples of each kind; of the reference at most as many as there are.
  public var samples: Int
  /// What happens to images that the model made before features are extracted.
  public var preprocessing: Preprocessing
  /// What samples, pairs and subsets are drawn from.
  public var seed: UInt64
  /// Codes that −log p(x) of an image is estimated from.
  public var draws = 100

  public init(
    metrics: [Metric] = Metric.standard, samples: Int = 10_000,
    preprocessing: Preprocessing = Preprocessing(), seed: UInt64 = 0
  ) {
    (self.metrics, self.samples) = (metrics, samples)
    (self.preprocessing, self.seed) = (preprocessing, seed)
  }
}
