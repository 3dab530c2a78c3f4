import SystemPackage

/// Why features can't be extracted.
public enum FeatureError: Error, Equatable, Sendable {
  /// A network has no such feature vectors.
  case noSuchDimensions(Int, known: [Int])
  /// A weights file ends before the layers that are needed; `reaches` is 0 if it serves no features
  /// at all.
  case incomplete(FilePath, reaches: Int, asked: Int, missing: [String])
  /// Images have channels that the extractor can't use.
  case channels(Int, extractor: String, expected: String)
}

extension FeatureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noSuchDimensions(let asked, let known):
      let list = known.map(String.init).joined(separator: ", ")
      return "features of \(asked) dimensions: there are \(list)"
    case .incomplete(let file, let reaches, let asked, let missing):
      let reach = reaches == 0 ? "serves no features" : "reaches \(reaches) dimensions"
      let layers = missing.prefix(3).joined(separator: ", ") + (missing.count > 3 ? ", …" : "")
      return "\(file) \(reach); \(asked) need layers \(layers)"
    case .channels(let found, let extractor, let expected):
      return "\(extractor): images of \(expected) channels expected, found \(found)"
    }
  }
}
