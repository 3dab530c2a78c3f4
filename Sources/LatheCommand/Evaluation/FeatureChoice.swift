import LatheMetrics
import LatheNN
import LatheTraining
import SystemPackage

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
  init(_ asked: RunEvaluationSettings) throws {
    let features = asked.features
    let parts = (features ?? "").split(separator: ":", maxSplits: 1).map(String.init)
    argument = parts.count == 2 ? parts[1] : nil
    entry = parts.first.flatMap { FeatureChoice.registry[$0] }
    (dimensions, resize) = (asked.dims, asked.resize)
    if let features, entry?.accepts(argument: argument) != true {
      throw CommandFailure.usage(
        "--features: expected \(FeatureChoice.forms), found \(features)")
    }
    guard entry?.hasInputOptions == true || (dimensions == nil && resize == nil) else {
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

  /// The vectors of a file themselves.
  ///
  /// - Throws: `CommandFailure` (64) if features of images are asked for.
  func vectorExtractor(for path: FilePath) throws -> any FeatureExtractor {
    guard let entry, entry.name != Pixels().name else { return Pixels() }
    throw CommandFailure.usage(
      "--features \(entry.name): \(path) has vectors, which are measured themselves")
  }

  /// The extractor for images of a shape.
  ///
  /// - Throws: `CommandFailure` if its weights can't be used, or features of images are asked for
  ///   of vectors.
  func extractor(for images: ImageShape) throws -> any FeatureExtractor {
    if images.height == 1, let entry, entry.name != Pixels().name {
      throw CommandFailure.usage(
        "--features \(entry.name): for images, vectors (\(images)) are measured themselves")
    }
    return try failing {
      guard let entry else { return try FeatureRegistry.fallback(for: images) }
      let extractor = try entry.make(
        FeatureRegistry.Request(
          argument: argument, dimensions: dimensions, resize: resize, images: images))
      for remark in extractor.remarks { note("--features \(entry.name): \(remark)") }
      return extractor
    }
  }
}
