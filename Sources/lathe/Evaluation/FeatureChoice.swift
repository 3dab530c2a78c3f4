import Datasets
import Metrics
import SystemPackage
import Training

/// What `--features`, `--dims` and `--resize` ask for.
struct FeatureChoice {
  private enum Kind {
    case pixels
    case classifier(FilePath)
    case inception(FilePath)
  }

  private let kind: Kind
  private let dims: Int
  private let resize: InceptionPreparation.Resize

  /// - Throws: `CommandFailure` for other features, or settings that these have not.
  init(_ features: String, dims: Int?, resize: String?) throws {
    switch features {
    case "pixels": kind = .pixels
    case _ where features.hasPrefix("classifier:"):
      kind = .classifier(FilePath(String(features.dropFirst(11))))
    case _ where features.hasPrefix("inception:"):
      kind = .inception(FilePath(String(features.dropFirst(10))))
    default:
      throw CommandFailure.usage(
        "--features: expected inception:FILE, classifier:FILE or pixels, found \(features)"
      )
    }
    self.dims = dims ?? 2048
    self.resize = try FeatureChoice.resize(resize ?? "tensorflow")
    if case .inception = kind { return }
    guard dims == nil, resize == nil else {
      throw CommandFailure.usage("--dims, --resize: for --features inception:FILE only")
    }
  }

  private static func resize(_ name: String) throws -> InceptionPreparation.Resize {
    if let resize = InceptionPreparation.Resize(rawValue: name) { return resize }
    throw CommandFailure.usage("--resize: expected tensorflow or pytorch, found \(name)")
  }

  /// The features, for images of a shape.
  func features(for shape: ImageShape) throws -> ImageFeatures {
    ImageFeatures(try extractor(), for: shape)
  }

  private func extractor() throws -> any FeatureExtractor {
    switch kind {
    case .pixels: Pixels()
    case .classifier(let path): try Classifier(reading: path)
    case .inception(let path):
      try Inception(dimensions: dims, preparation: .init(resize: resize), reading: path)
    }
  }
}
