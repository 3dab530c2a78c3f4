import LatheFiles
internal import CKernels

/// Memory of the calling thread that is kept from call to call, on huge pages where there are any.
///
/// A slot is free again when the function that asked for it returns.
enum Scratch: Int32 {
  /// The im2col matrix of a tile of images.
  case im2col
  /// One image, with a border or as planes.
  case image
  /// Weights in another order.
  case weights
  /// Sums over parts of a batch.
  case partials
  /// The left operand of tiles, in another order or as pairs.
  case left
  /// Columns of the right operand of tiles.
  case panel
  /// All columns of the right operand of tiles.
  case panels
  /// A part of a result, before it is transposed.
  case block
  /// Where rows begin.
  case rows
  /// Where rows of one piece begin.
  case places
  /// Where lines of the contraction begin.
  case lines
  /// Operands, rounded.
  case roundedLeft, roundedRight

  /// `count` floats of any value.
  func floats(_ count: Int) -> MutableFloats {
    guard let start = ck_scratch(rawValue, count) else {
      trap("scratch memory: no \(count * 4) bytes for \(self)")
    }
    return start
  }

  /// `count` integers of any value.
  func integers(_ count: Int) -> UnsafeMutablePointer<Int> {
    UnsafeMutableRawPointer(floats(2 * count)).bindMemory(to: Int.self, capacity: count)
  }
}
