import LatheNN
import SystemPackage

/// Feature extractors by name: what `--features NAME` or `--features NAME:ARGUMENT` can ask for.
///
/// A program adds its own with `FeatureRegistry.standard + [entry]`.
public struct FeatureRegistry: Sendable {
  /// In the order in which they are listed.
  public let entries: [Entry]

  /// The extractors that come with lathe.
  public static let standard = FeatureRegistry([.classifier, .inception, .pixels])

  /// A registry of these extractors.
  public init(_ entries: [Entry]) { self.entries = entries }

  /// With further extractors; one of a name that is there already takes its place.
  public static func + (registry: FeatureRegistry, more: [Entry]) -> FeatureRegistry {
    let names = Set(more.map(\.name))
    return FeatureRegistry(registry.entries.filter { !names.contains($0.name) } + more)
  }

  /// The extractor of that name, the part of `NAME:ARGUMENT` before the colon.
  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// What is asked of an extractor.
  public struct Request: Sendable {
    /// What follows the colon; nil without one.
    public var argument: String?
    /// Length of a vector, where there is a choice.
    public var dimensions: Int?
    /// How images are resized for Inception.
    public var resize: InceptionPreparation.Resize?
    /// The shape of the images.
    public var images: ImageShape

    public init(
      argument: String? = nil, dimensions: Int? = nil,
      resize: InceptionPreparation.Resize? = nil, images: ImageShape
    ) {
      (self.argument, self.dimensions, self.resize) = (argument, dimensions, resize)
      self.images = images
    }
  }

  /// An extractor that can be asked for by name.
  public struct Entry: Sendable {
    public let name: String
    /// The forms that it is asked for in: `inception:FILE`.
    public let forms: [String]
    /// Whether ``Request/dimensions`` and ``Request/resize`` mean anything to it.
    public let hasInputOptions: Bool
    /// Makes the extractor; throws what the command then reports, ``FeatureError`` for one.
    public let make: @Sendable (Request) throws -> any FeatureExtractor

    public init(
      _ name: String, forms: [String]? = nil, hasInputOptions: Bool = false,
      make: @escaping @Sendable (Request) throws -> any FeatureExtractor
    ) {
      (self.name, self.hasInputOptions, self.make) = (name, hasInputOptions, make)
      self.forms = forms ?? [name]
    }

    /// Whether it can be asked for with an argument, or without one.
    public func accepts(argument: String?) -> Bool {
      forms.contains { $0.contains(":") == (argument != nil) }
    }
  }
}

extension FeatureRegistry.Entry {
  /// The classifier that comes with lathe, or one from a file; see ``Classifier``.
  public static let classifier = FeatureRegistry.Entry(
    "classifier", forms: ["classifier", "classifier:FILE"]
  ) { request in
    if let path = request.argument { return try Classifier(reading: FilePath(path)) }
    return try Classifier(channels: request.images.channels)
  }

  /// Inception-v3 with the weights in a file; see ``Inception``.
  public static let inception = FeatureRegistry.Entry(
    "inception", forms: ["inception:FILE"], hasInputOptions: true
  ) { request in
    try Inception(
      dimensions: request.dimensions ?? 2048,
      preparation: InceptionPreparation(resize: request.resize ?? .tensorflow),
      reading: FilePath(request.argument ?? ""))
  }

  /// The values of the images themselves; see ``Pixels``.
  public static let pixels = FeatureRegistry.Entry("pixels") { _ in Pixels() }
}

extension FeatureRegistry {
  /// The extractor for images when nobody asked for one: lathe's classifier, or pixels for what is
  /// no picture.
  ///
  /// - Throws: ``FeatureError``.
  public static func fallback(for images: ImageShape) throws -> any FeatureExtractor {
    let isPicture = images.height > 1 && images.width > 1 && [1, 3].contains(images.channels)
    return isPicture ? try Classifier(channels: images.channels) : Pixels()
  }
}
