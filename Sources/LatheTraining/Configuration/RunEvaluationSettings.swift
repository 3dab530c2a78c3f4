import LatheFiles
import LatheMetrics
import LatheNN

/// Whether and how a run is evaluated on validation images while it trains.
public struct RunEvaluationSettings: SettingGroup {
  @Setting(
    "Steps between evaluations on validation images, which also choose the checkpoint kept in "
      + "RUN/best; 0 for none.", called: "evaluate-every", bounds: .atLeast(0), identity: .ranks)
  public var interval = 0
  @Setting(
    "The score by which a checkpoint is the best, such as generation/kid or reconstruction/ssim; "
      + "left out, the Fréchet distance of generated images.", identity: .ranks)
  public var bestBy: String?
  @Setting(
    "Evaluations without a better one after which the run ends; left out, it makes all its steps.",
    bounds: .optional(.atLeast(1)), identity: .ranks)
  public var patience: Int?
  @Setting("What is evaluated, separated by commas.", identity: .ranks)
  public var metrics = EvaluationSettings.Metric.standard
  @Setting(
    "What stands for an image; left out, classifier, or pixels for what is no picture.",
    identity: .ranks)
  public var features: String?
  @Setting(
    "Dimensions of Inception's features: 64, 192, 768 or 2048; left out, 2048.", identity: .ranks)
  public var dims: Int?
  @Setting("How images are resized for Inception; left out, tensorflow.", identity: .ranks)
  public var resize: InceptionPreparation.Resize?
  @Setting("Images of each kind.", bounds: .within(2...1_000_000), identity: .ranks)
  public var samples = 10_000
  @Setting(
    "Per-image min-max normalization before features, as FlexAE's and 2-Stage VAE's do.",
    identity: .ranks)
  public var minmax = false
  @Setting("Round to 8 bits before features.", identity: .ranks)
  public var rounding = Preprocessing.Rounding.none

  public init() {}

  /// What an evaluation computes, with draws from a seed.
  public func settings(seed: UInt64) -> EvaluationSettings {
    EvaluationSettings(
      metrics: metrics, samples: samples, preprocessing: preprocessing, seed: seed)
  }

  /// What happens to generated images before features are extracted.
  public var preprocessing: Preprocessing { Preprocessing(minmax: minmax, rounding: rounding) }
}

extension EvaluationSettings.Metric: SettingChoice {
  public init?(given: JSONValue) { self.init(named: given.text.lowercased()) }

  public static func presentWord(for given: JSONValue) -> String? {
    given.text.lowercased() == "bound" ? "elbo" : nil
  }
}
extension Preprocessing.Rounding: SettingChoice {}
extension InceptionPreparation.Resize: SettingChoice {}
