import ArgumentParser
import Metrics
import SystemPackage

/// Which features images are compared by.
struct FeatureOptions: ParsableArguments {
  @Option(help: "inception:FILE, classifier, classifier:FILE or pixels.")
  var features = "classifier"

  @Option(help: "Length of Inception's vectors: 64, 192, 768 or 2048.")
  var dims = 2048

  @Option(help: "How images are resized for Inception: tensorflow or pytorch.")
  var resize = InceptionPreparation.Resize.tensorflow

  @Flag(name: .customLong("minmax"), help: "Stretch each image to [0, 1] before Inception sees it.")
  var stretchesRange = false

  @Flag(name: .customLong("round"), help: "Round images to 8 bits before Inception sees them.")
  var roundsToBytes = false

  /// The extractor for images of so many channels.
  ///
  /// - Throws: `CommandFailure` if there is no such extractor, or its weights can't be used.
  func extractor(channels: Int) throws -> any FeatureExtractor {
    let parts = features.split(separator: ":", maxSplits: 1).map(String.init)
    switch (parts.first, parts.count) {
    case ("inception", 2):
      let preparation = InceptionPreparation(
        resize: resize, stretchesRange: stretchesRange, roundsToBytes: roundsToBytes)
      return try failing {
        try Inception(dimensions: dims, preparation: preparation, reading: FilePath(parts[1]))
      }
    case ("classifier", 1): return try failing { try Classifier(channels: channels) }
    case ("classifier", 2): return try failing { try Classifier(reading: FilePath(parts[1])) }
    case ("pixels", 1): return Pixels()
    default:
      throw CommandFailure.usage(
        "--features \(features): expected inception:FILE, classifier, classifier:FILE or pixels")
    }
  }
}

extension InceptionPreparation.Resize: ExpressibleByArgument {}
