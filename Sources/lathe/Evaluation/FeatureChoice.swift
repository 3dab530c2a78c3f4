import Datasets
import Metrics
import SystemPackage
import Training

/// What `--features`, `--dims` and `--resize` ask for.
struct FeatureChoice {
  private enum Kind {
    case pixels
    case classifier
    case inception(FilePath)
  }

  private let kind: Kind
  private let dims: Int
  private let resize: String

  /// - Throws: `CommandFailure` for other features, or settings that these have not.
  init(_ features: String, dims: Int?, resize: String?) throws {
    switch features {
    case "pixels": kind = .pixels
    case "classifier": kind = .classifier
    case _ where features.hasPrefix("inception:"): kind = .inception(FilePath(String(features.dropFirst(10))))
    default:
      throw CommandFailure.usage(
        "--features: expected inception:FILE, classifier or pixels, found \(features)")
    }
    self.dims = dims ?? 2048
    self.resize = resize ?? "tensorflow"
    if case .inception = kind { return }
    guard dims == nil, resize == nil else {
      throw CommandFailure.usage("--dims, --resize: for --features inception:FILE only")
    }
  }

  /// The features, for images of a shape.
  func features(for shape: ImageShape) throws -> ImageFeatures {
    switch kind {
    case .pixels: .pixels(shape)
    case .classifier, .inception:
      throw CommandFailure.usage("not merged yet")
    }
  }
}
