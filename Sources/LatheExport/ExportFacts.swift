import LatheNN

/// What a file says about the run that its networks are of.
public struct ExportFacts: Sendable {
  /// The model's type, such as `FlexAE`.
  public let typeName: String
  public let images: ImageShape
  /// Dimensions of a code.
  public let latentSize: Int
  /// How new codes are drawn, a sentence.
  public let sampling: String
  /// Model, data set, step, version and so on, by name.
  public let lines: [(key: String, value: String)]

  public init(
    typeName: String, images: ImageShape, latentSize: Int, sampling: String,
    lines: [(key: String, value: String)]
  ) {
    self.typeName = typeName.filter { $0.isLetter || $0.isNumber || $0 == "_" }
    (self.images, self.latentSize, self.sampling) = (images, latentSize, sampling)
    self.lines = lines
  }
}
