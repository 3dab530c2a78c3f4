import LatheFiles
import LatheNN

/// What happens to a training image before it is used, as a function of (seed, position) alone: the
/// same on any number of ranks, and after a run is resumed.
public struct Augmentation: Hashable, Sendable {
  /// Whether every other image is mirrored left to right.
  public var flips = false
  /// Pixels that an image is padded by on each side, before a part of its former size is cut out at
  /// a random place; 0: neither.
  public var padding = 0
  /// What stands in the padding.
  public var paddingMode = PaddingMode.zero

  /// What stands in the padding of an image.
  public enum PaddingMode: String, Codable, CaseIterable, Sendable {
    /// 0, black.
    case zero
    /// The image's own pixels, mirrored at its edge, which is not repeated.
    case reflect
  }

  public init(flips: Bool = false, padding: Int = 0, paddingMode: PaddingMode = .zero) {
    (self.flips, self.padding, self.paddingMode) = (flips, padding, paddingMode)
  }

  /// Whether images stay as they are.
  var isIdentity: Bool { !flips && padding == 0 }

  /// Where the rows and columns of the image at a position of `order` come from.
  func view(_ shape: ImageShape, at position: Int, of order: Order) -> ImageView {
    let offset = padding > 0 ? order.offset(at: position, upTo: 2 * padding) : (row: 0, column: 0)
    let columns = sources(shape.width, from: offset.column - padding)
    return ImageView(
      rows: sources(shape.height, from: offset.row - padding),
      columns: flips && order.isFlipped(at: position) ? columns.reversed() : columns)
  }

  /// The lines `start` ..< `start + count` of an image with `count` lines, -1 for a black one.
  private func sources(_ count: Int, from start: Int) -> [Int] {
    (start..<start + count).map { line in
      switch paddingMode {
      case _ where (0..<count).contains(line): line
      case .zero: -1
      case .reflect: line < 0 ? -line : 2 * (count - 1) - line
      }
    }
  }
}

/// An image made of rows and columns of another one; -1 stands for black ones.
struct ImageView {
  let rows, columns: [Int]

  /// Writes the pixels of `source` to `target`. Shapes: `[H, W, channels]` → `[rows, columns,
  /// channels]`.
  func copy(
    _ source: UnsafePointer<Float>, _ shape: ImageShape, to target: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.channels
    var pixel = target
    for row in rows {
      for column in columns {
        let isBlack = row < 0 || column < 0
        let start = source + (isBlack ? 0 : (row * shape.width + column) * channels)
        for channel in 0..<channels { pixel[channel] = isBlack ? 0 : start[channel] }
        pixel += channels
      }
    }
  }
}
