/// The value of an 8-bit level, in [0, 1].
///
/// Concretely, level / 255. Whatever a model, a feature extractor or a figure sees of an image is
/// converted here, so that equal levels are equal values everywhere.
@inlinable public func pixelValue(_ level: UInt8) -> Float { Float(level) / 255 }

/// Writes the values of `count` levels.
@inlinable public func convertPixels(
  _ levels: UnsafePointer<UInt8>, to values: UnsafeMutablePointer<Float>, count: Int
) {
  for place in 0..<count { values[place] = pixelValue(levels[place]) }
}
