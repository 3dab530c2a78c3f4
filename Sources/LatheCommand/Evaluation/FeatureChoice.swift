import ArgumentParser
import LatheMetrics
import LatheNN

/// Which features stand for an image; what is left out is nil.
struct FeatureFlags: ParsableArguments {
  @Option(
    help:
      "Features: \(FeatureChoice.forms) (default: classifier, or pixels for what is no picture)."
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
  /// The extractors that the command knows.
  static var registry: FeatureRegistry { Registered.features }

  /// nil for the default.
  private let entry: FeatureRegistry.Entry?
  private let argument: String?
  private let dimensions: Int?
  private let resize: InceptionPreparation.Resize?

  /// - Throws: `CommandFailure` for other features, or settings that these have not.
  init(_ features: String?, dims: Int?, resize: String?) throws {
    let parts = (features ?? "").split(separator: ":", maxSplits: 1).map(String.init)
    argument = parts.count == 2 ? parts[1] : nil
    entry = parts.first.flatMap { FeatureChoice.registry[$0] }
    dimensions = dims
    self.resize = try resize.map(FeatureChoice.resize)
    if let features, entry?.accepts(argument: argument) != true {
      throw CommandFailure.usage(
        "--features: expected \(FeatureChoice.forms), found \(features)")
    }
    guard entry?.hasInputOptions == true || (dims == nil && resize == nil) else {
      throw CommandFailure.usage(
        "--dims, --resize: for \(FeatureChoice.formsWithInputOptions) only")
    }
  }

  static var forms: String {
    let forms = registry.entries.flatMap(\.forms)
    return forms.dropLast().joined(separator: ", ") + " or " + (forms.last ?? "")
  }

  private static var formsWithInputOptions: String {
    registry.entries.filter(\.hasInputOptions).flatMap(\.forms).map { "--features \($0)" }
      .joined(separator: ", ")
  }

  private static func resize(_ name: String) throws -> InceptionPreparation.Resize {
    if let resize = InceptionPreparation.Resize(rawValue: name) { return resize }
    throw CommandFailure.usage("--resize: expected tensorflow or pytorch, found \(name)")
  }

  /// The extractor for images of a shape.
  ///
  /// - Throws: `CommandFailure` if its weights can't be used.
  func extractor(for images: ImageShape) throws -> any FeatureExtractor {
    try failing {
      guard let entry else { return try FeatureRegistry.fallback(for: images) }
      return try entry.make(
        FeatureRegistry.Request(
          argument: argument, dimensions: dimensions, resize: resize, images: images))
    }
  }
}
