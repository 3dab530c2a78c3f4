import LatheNN
import ArgumentParser
import LatheData
import LatheMetrics
import SystemPackage
import LatheTraining

/// Which features stand for an image; what is left out is nil.
struct FeatureFlags: ParsableArguments {
  @Option(
    help:
      "What stands for an image: inception:FILE, classifier, classifier:FILE or pixels (default: classifier)."
  )
  var features: String?

  @Option(help: "Dimensions of Inception's features: 64, 192, 768 or 2048 (default: 2048).")
  var dims: Int?

  @Option(
    help: "How images are resized for Inception: tensorflow or pytorch (default: tensorflow).")
  var resize: String?

  /// - Throws: `CommandFailure` for features that there are not.
  func choice() throws -> FeatureChoice {
    try FeatureChoice(features, dims: dims, resize: resize)
  }
}

/// What `--features`, `--dims` and `--resize` ask for.
struct FeatureChoice {
  private enum Kind {
    /// The classifier that comes with lathe, or pixels for what is no picture.
    case usual
    case pixels
    case classifier(FilePath?)
    case inception(FilePath)
  }

  private let kind: Kind
  private let dims: Int
  private let resize: InceptionPreparation.Resize
  /// What else happens to an image before Inception sees it.
  var stretchesRange = false
  var roundsToBytes = false

  /// - Throws: `CommandFailure` for other features, or settings that these have not.
  init(_ features: String?, dims: Int?, resize: String?) throws {
    kind = try FeatureChoice.kind(features)
    self.dims = dims ?? 2048
    self.resize = try FeatureChoice.resize(resize ?? "tensorflow")
    if case .inception = kind { return }
    guard dims == nil, resize == nil else {
      throw CommandFailure.usage("--dims, --resize: for --features inception:FILE only")
    }
  }

  private static func kind(_ features: String?) throws -> Kind {
    guard let features else { return .usual }
    let parts = features.split(separator: ":", maxSplits: 1).map(String.init)
    switch (parts.first, parts.count) {
    case ("pixels", 1): return .pixels
    case ("classifier", 1): return .classifier(nil)
    case ("classifier", 2): return .classifier(FilePath(parts[1]))
    case ("inception", 2): return .inception(FilePath(parts[1]))
    default:
      throw CommandFailure.usage(
        "--features: expected inception:FILE, classifier, classifier:FILE or pixels, found \(features)"
      )
    }
  }

  private static func resize(_ name: String) throws -> InceptionPreparation.Resize {
    if let resize = InceptionPreparation.Resize(rawValue: name) { return resize }
    throw CommandFailure.usage("--resize: expected tensorflow or pytorch, found \(name)")
  }

  /// The features, for images of a shape.
  func features(for shape: ImageShape) throws -> ImageFeatures {
    ImageFeatures(try extractor(for: shape), for: shape)
  }

  /// The extractor itself.
  func extractor(for shape: ImageShape) throws -> any FeatureExtractor {
    let isPicture = shape.height > 1 && shape.width > 1 && [1, 3].contains(shape.channels)
    switch kind {
    case .usual: return isPicture ? try Classifier(channels: shape.channels) : Pixels()
    case .pixels: return Pixels()
    case .classifier(nil): return try Classifier(channels: shape.channels)
    case .classifier(let path?): return try Classifier(reading: path)
    case .inception(let path):
      let preparation = InceptionPreparation(
        resize: resize, stretchesRange: stretchesRange, roundsToBytes: roundsToBytes)
      return try Inception(dimensions: dims, preparation: preparation, reading: path)
    }
  }
}
