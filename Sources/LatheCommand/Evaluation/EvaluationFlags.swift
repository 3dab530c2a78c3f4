import ArgumentParser
import LatheFiles
import LatheMetrics
import LatheTraining
import SystemPackage

/// What is evaluated and how, for `evaluate` and `train --evaluate-every`.
struct EvaluationFlags: ParsableArguments {
  @Option(setting: "metrics") var metrics: String?
  @OptionGroup var features: FeatureFlags
  @Option(setting: "samples") var samples: String?
  @OptionGroup var preprocessing: PreprocessingFlags

  /// What the flags say, and else a run's own protocol.
  ///
  /// - Throws: `CommandFailure` for a value that a setting cannot have.
  func settings(over own: RunOverlay = RunOverlay()) throws -> RunEvaluationSettings {
    let flags = try RunOverlay(flags: self)
    return try flags.over(own.withoutFeatures(if: flags.values["features"] != nil))
      .configuration().evaluation
  }
}

extension RunOverlay {
  /// How a run's images are compared by its own recipe, where that is not the default: without the
  /// metrics and the times of evaluations while it trains.
  init(protocolOf run: SavedRun) {
    let path = run.folder.appending(Recipe.fileName)
    self.init()
    guard FileSystem.isFile(path) else { return }
    do { values = try Recipe.read(path.string).values.filter(Self.isProtocol) } catch {
      note("\(error); evaluated without what it says")
    }
  }

  private static func isProtocol(_ name: String, _ value: JSONValue) -> Bool {
    ["features", "dims", "resize", "samples", "minmax", "rounding"].contains(name)
      && value != .null && value != RunConfiguration.list[name]?.defaultValue
  }

  /// Other features have dimensions and a resize of their own.
  fileprivate func withoutFeatures(if areGiven: Bool) -> RunOverlay {
    guard areGiven else { return self }
    return RunOverlay(values.filter { !["features", "dims", "resize"].contains($0.key) })
  }

  /// `minmax true, samples 1000`; nothing where nothing is said.
  var words: String {
    values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }.joined(separator: ", ")
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
