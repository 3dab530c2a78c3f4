import LatheNN
import ArgumentParser
import LatheData
import LatheMetrics

/// Which features images are turned into.
struct FeatureOptions: ParsableArguments {
  @OptionGroup var features: FeatureFlags

  @Flag(name: .customLong("minmax"), help: "Stretch each image to [0, 1] before Inception sees it.")
  var stretchesRange = false

  @Flag(name: .customLong("round"), help: "Round images to 8 bits before Inception sees them.")
  var roundsToBytes = false

  /// The extractor for images of a shape.
  ///
  /// - Throws: `CommandFailure` if there is no such extractor, or its weights can't be used.
  func extractor(for shape: ImageShape) throws -> any FeatureExtractor {
    var choice = try features.choice()
    choice.stretchesRange = stretchesRange
    choice.roundsToBytes = roundsToBytes
    return try failing { try choice.extractor(for: shape) }
  }
}
