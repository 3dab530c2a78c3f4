import LatheFiles

/// A picture of 8 bits a channel, grey or red, green, blue.
public struct Picture: Equatable, Sendable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 1 for grey, 3 for red, green, blue.
  public let channels: Int
  /// The values, `[height, width, channels]`, sRGB.
  public var pixels: [UInt8]

  /// A picture of the given values, `[height, width, channels]`.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    require(channels == 1 || channels == 3, "Picture: \(channels) channels, not 1 or 3")
    require(width > 0 && height > 0, "Picture: \(width) × \(height) pixels")
    require(
      pixels.count == width * height * channels,
      "Picture: \(pixels.count) values for \(height) × \(width) × \(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// A picture of one value throughout.
  public init(width: Int, height: Int, channels: Int, filledWith value: UInt8) {
    let pixels = [UInt8](repeating: value, count: width * height * channels)
    self.init(width: width, height: height, channels: channels, pixels: pixels)
  }

  /// The values of a pixel, `[channels]`.
  public subscript(row: Int, column: Int) -> [UInt8] {
    get { Array(pixels[place(row, column)..<place(row, column) + channels]) }
    set {
      pixels.replaceSubrange(place(row, column)..<place(row, column) + channels, with: newValue)
    }
  }

  private func place(_ row: Int, _ column: Int) -> Int {
    require(
      row >= 0 && row < height && column >= 0 && column < width,
      "Picture: row \(row), column \(column) of \(height) × \(width)")
    return (row * width + column) * channels
  }
}
