import LatheTensors

/// What happens to an image's values, which should be in [0, 1], before features are extracted.
public struct Preprocessing: Codable, Hashable, Sendable {
  /// Rounding of values in [0, 1] to the 256 levels of 8-bit files.
  public enum Rounding: String, Codable, CaseIterable, Sendable {
    /// Values stay as they are.
    case none
    /// To the nearest level.
    case nearest
    /// To the next lower level, as programs do that write 8-bit files by truncation.
    case down
  }

  /// Per-image min–max normalization, (x − min) / (max − min), before values are clipped to [0, 1].
  public var minmax: Bool
  /// Rounding after that.
  public var rounding: Rounding

  /// Clips only, unless told otherwise.
  public init(minmax: Bool = false, rounding: Rounding = .none) {
    (self.minmax, self.rounding) = (minmax, rounding)
  }

  /// Shapes: `[N, H, W, C]` → the same.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    var values = images.values
    let count: Int = images.shape[0]
    let size = max(1, values.count / max(1, count))
    for start in stride(from: 0, to: values.count, by: size) {
      preprocess(&values[start..<start + size])
    }
    return Tensor(values, shape: images.shape)
  }

  private func preprocess(_ image: inout ArraySlice<Float>) {
    if minmax, let minimum = image.min(), let maximum = image.max(), minimum < maximum {
      for i in image.indices { image[i] = (image[i] - minimum) / (maximum - minimum) }
    }
    for i in image.indices { image[i] = rounded(min(1, max(0, image[i]))) }
  }

  private func rounded(_ value: Float) -> Float {
    switch rounding {
    case .none: value
    case .nearest: (value * 255).rounded() / 255
    case .down: (value * 255).rounded(.down) / 255
    }
  }
}

extension Preprocessing: CustomStringConvertible {
  /// For example `clipped to [0, 1], rounded to 8 bits`.
  public var description: String {
    let range = minmax ? "min–max normalized per image" : "clipped to [0, 1]"
    switch rounding {
    case .none: return range + ", not rounded"
    case .nearest: return range + ", rounded to 8 bits"
    case .down: return range + ", truncated to 8 bits"
    }
  }
}
