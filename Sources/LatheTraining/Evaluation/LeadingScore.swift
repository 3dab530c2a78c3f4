import LatheMetrics
import LatheNN

/// The score by which a run's checkpoints are compared.
public struct LeadingScore: Sendable, Equatable {
  public let name: String
  /// Whether more is better.
  public let isHigherBetter: Bool

  /// The score of that name, or the Fréchet distance of generated images.
  ///
  /// - Throws: `SettingError` for the setting `setting` if `metrics` has no such score.
  public init(
    _ name: String?, of metrics: [EvaluationSettings.Metric], features: any FeatureExtractor,
    setting: String = "best-by"
  ) throws(SettingError) {
    let known = metrics.flatMap { Self.scores(of: $0, features.scoreName) }
    let asked = name ?? "generation/\(features.scoreName)"
    guard let found = known.first(where: { $0.name == asked }) else {
      guard name != nil else {
        (self.name, isHigherBetter) = (asked, false)
        return
      }
      throw SettingError(
        name: setting, expected: "one of \(known.map(\.name).joined(separator: ", "))",
        found: asked)
    }
    (self.name, isHigherBetter) = found
  }

  /// Whether a value is better than another, or than nothing.
  func isBetter(_ value: Double, than other: Double?) -> Bool {
    guard value.isFinite else { return false }
    guard let other else { return true }
    return isHigherBetter ? value > other : value < other
  }

  /// The scores of a metric of which one value is better than another.
  private static func scores(
    of metric: EvaluationSettings.Metric, _ features: String
  ) -> [(name: String, isHigherBetter: Bool)] {
    switch metric {
    case .error: [("reconstruction/error", false)]
    case .ssim: [("reconstruction/ssim", true)]
    case .fid: [("generation/\(features)", false), ("reconstruction/\(features)", false)]
    case .interpolation: [("interpolation/\(features)", false)]
    case .prd: [("prd/precision", true), ("prd/recall", true)]
    case .kid: [("generation/kid", false)]
    case .coverage:
      [("knn/precision", true), ("knn/recall", true), ("density", true), ("coverage", true)]
    case .latent: [("latent/nac", false)]
    case .dimension, .memorization: []
    case .posterior: [("posterior/\(features)", false)]
    case .gap:
      ["frechet", "relative-frechet", "sliced-wasserstein"].map { ("latent/\($0)", false) }
    case .elbo: [("negative-elbo", false)]
    case .loss: [("loss", false)]
    case .likelihood: [("negative-log-likelihood", false)]
    }
  }
}
