import LatheFiles
internal import CKernels

/// Where the pixels of a resized axis lie between those of the old one.
public struct ResizedAxis: Sendable {
  let low, high: [Int]
  let share: [Float]

  /// An axis of `size` pixels as one of `count`; with half-pixel centres, pixel i lies at (i + ½) ·
  /// size / count − ½, without at i · size / count, in either case no further out than the
  /// outermost pixels.
  public init(_ size: Int, to count: Int, halfPixelCentres: Bool) {
    require(size > 0 && count > 0, "resizing: \(size) pixels to \(count)")
    let step = Float(size) / Float(count)
    let places = (0..<count).map { index -> Float in
      let place = halfPixelCentres ? (Float(index) + 0.5) * step - 0.5 : Float(index) * step
      return max(place, 0)
    }
    low = places.map { min(Int($0), size - 1) }
    high = low.map { min($0 + 1, size - 1) }
    share = zip(places, low).map { $0 - Float($1) }
  }

  /// Pixels of the resized axis.
  public var count: Int { low.count }
}

/// y = images resized bilinearly: first between rows, then between columns.
///
/// Shapes: x `[batch, height, width, channels]`, y `[batch, rows.count, columns.count, channels]`.
public func resizeBilinear(
  _ x: Floats, batch: Int, height: Int, width: Int, channels: Int, rows: ResizedAxis,
  columns: ResizedAxis, _ y: MutableFloats
) {
  let line = width * channels
  let outputLine = columns.count * channels
  forEachRows(batch * rows.count, of: outputLine) { range in
    let blended = Scratch.image.floats(line)
    for row in range {
      let (image, i) = row.quotientAndRemainder(dividingBy: rows.count)
      let start = x + image * height * line
      ck_blend_rows(
        start + rows.low[i] * line, start + rows.high[i] * line, rows.share[i], line, blended)
      ck_blend_pixels(
        blended, columns.low, columns.high, columns.share, columns.count, channels,
        y + row * outputLine)
    }
  }
}
