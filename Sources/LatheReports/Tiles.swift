import LatheFiles

/// Images of one size to be shown beside each other.
public struct Tiles: Sendable {
  /// The number of images.
  public let count: Int
  /// Rows of an image.
  public let height: Int
  /// Pixels in a row.
  public let width: Int
  /// 1 for grey, 3 for red, green, blue.
  public let channels: Int
  /// The values, `[count, height, width, channels]`, in [0, 1].
  public let values: [Float]

  /// Images of the given values, `[count, height, width, channels]`.
  public init(count: Int, height: Int, width: Int, channels: Int, values: [Float]) {
    require(channels == 1 || channels == 3, "Tiles: \(channels) channels, not 1 or 3")
    require(
      count > 0 && height > 0 && width > 0, "Tiles: \(count) images of \(height) × \(width)")
    require(
      values.count == count * height * width * channels,
      "Tiles: \(values.count) values for \(count) × \(height) × \(width) × \(channels)")
    self.count = count
    self.height = height
    self.width = width
    self.channels = channels
    self.values = values
  }

  /// The values in 8 bits: clipped to [0, 1], times 255, rounded to the nearest.
  ///
  /// - Throws: `ReportError.nonFinite` with the place of the first value that is not finite.
  func levels() throws(ReportError) -> [UInt8] {
    if let place = values.firstIndex(where: { !$0.isFinite }) { throw nonFinite(at: place) }
    return values.map { UInt8((min(max($0, 0), 1) * 255).rounded()) }
  }

  private func nonFinite(at place: Int) -> ReportError {
    let (pixel, channel) = place.quotientAndRemainder(dividingBy: channels)
    let (line, column) = pixel.quotientAndRemainder(dividingBy: width)
    let (image, row) = line.quotientAndRemainder(dividingBy: height)
    return .nonFinite(
      image: image, row: row, column: column, channel: channel, value: "\(values[place])")
  }
}
