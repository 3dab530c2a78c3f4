import LatheKernels

/// What a float is while it passes between hosts.
public enum Wire: String, Codable, CaseIterable, Sendable {
  /// As it is.
  case float32
  /// Rounded to the upper 16 bits, ties to even: half the bytes.
  case bfloat16

  /// The bytes of so many floats on the way.
  func bytes(_ count: Int) -> Int { self == .float32 ? 4 * count : 2 * count }

  /// Where floats that are to be taken up at `target` may arrive: unpacked in place, from the first
  /// to the last, none is overwritten before it is read.
  func arrival(_ target: UnsafeMutablePointer<Float>, _ count: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(target) + (4 * count - bytes(count))
  }

  /// The floats that have arrived at ``arrival(_:_:)``, at `target`.
  func unpack(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    if self == .bfloat16 { LatheKernels.expandBFloat16(arrival(target, count), target, count) }
  }

  /// Floats as they are sent, at the same place or another.
  func pack(
    _ values: UnsafePointer<Float>, into target: UnsafeMutableRawPointer, _ count: Int
  ) {
    LatheKernels.packBFloat16(values, target, count)
  }

  /// The floats as those who receive them see them.
  func round(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    if self == .bfloat16 { LatheKernels.roundToBFloat16(values, count) }
  }
}
