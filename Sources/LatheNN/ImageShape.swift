import LatheFiles

/// Height, width and channels of one image.
public struct ImageShape: Hashable, Sendable, Codable {
  /// Rows of pixels.
  public var height: Int
  /// Pixels in a row.
  public var width: Int
  /// Values of a pixel: 1 for grey, 3 for red, green, blue.
  public var channels: Int

  /// A shape; every size must be at least 1.
  public init(height: Int, width: Int, channels: Int) {
    require(
      height > 0 && width > 0 && channels > 0,
      "ImageShape: sizes must be positive, got \(height) × \(width) × \(channels)")
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// The number of values in an image, `height · width · channels`.
  public var count: Int { height * width * channels }
}

extension ImageShape: CustomStringConvertible {
  /// For example `28 × 28 × 1`.
  public var description: String { "\(height) × \(width) × \(channels)" }
}
