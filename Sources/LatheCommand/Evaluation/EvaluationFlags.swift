import ArgumentParser
import LatheMetrics
import LatheTraining

/// What is evaluated and how, for `evaluate` and `train --evaluate-every`.
struct EvaluationFlags: ParsableArguments {
  @Option(setting: "metrics") var metrics: String?
  @OptionGroup var features: FeatureFlags
  @Option(setting: "samples") var samples: String?
  @OptionGroup var preprocessing: PreprocessingFlags

  /// - Throws: `CommandFailure` for a value that a setting cannot have.
  func settings() throws -> RunEvaluationSettings {
    try RunOverlay(flags: self).configuration().evaluation
  }
}

/// Which features stand for an image.
struct FeatureFlags: ParsableArguments {
  @Option(setting: "features") var features: String?
  @Option(setting: "dims") var dims: String?
  @Option(setting: "resize") var resize: String?

  /// - Throws: `CommandFailure` for features that there are not.
  func choice() throws -> FeatureChoice {
    try FeatureChoice(RunOverlay(flags: self).configuration().evaluation)
  }
}

/// What happens to images before features are extracted.
struct PreprocessingFlags: ParsableArguments {
  @Flag(inversion: .prefixedNo, help: .setting("minmax")) var minmax: Bool?
  @Option(setting: "rounding") var rounding: String?

  /// - Throws: `CommandFailure` for another rounding.
  func preprocessing() throws -> Preprocessing {
    try RunOverlay(flags: self).configuration().evaluation.preprocessing
  }
}
