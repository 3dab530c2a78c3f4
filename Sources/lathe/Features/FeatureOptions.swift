import ArgumentParser
import Datasets
import Metrics

/// Which features images are turned into.
struct FeatureOptions: ParsableArguments {
  @Option(
    help: "inception:FILE, classifier, classifier:FILE or pixels (default: classifier).")
  var features: String?

  @Option(help: "Length of Inception's vectors: 64, 192, 768 or 2048 (default: 2048).")
  var dims: Int?

  @Option(
    help: "How images are resized for Inception: tensorflow or pytorch (default: tensorflow).")
  var resize: String?

  @Flag(name: .customLong("minmax"), help: "Stretch each image to [0, 1] before Inception sees it.")
  var stretchesRange = false

  @Flag(name: .customLong("round"), help: "Round images to 8 bits before Inception sees them.")
  var roundsToBytes = false

  /// The extractor for images of a shape.
  ///
  /// - Throws: `CommandFailure` if there is no such extractor, or its weights can't be used.
  func extractor(for shape: ImageShape) throws -> any FeatureExtractor {
    var choice = try FeatureChoice(features, dims: dims, resize: resize)
    choice.stretchesRange = stretchesRange
    choice.roundsToBytes = roundsToBytes
    return try failing { try choice.extractor(for: shape) }
  }
}
