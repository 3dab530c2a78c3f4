/// The size of an axis of a tensor in a network: the same in every batch, or in proportion to it.
enum Dimension: Equatable {
  case fixed(Int)
  /// So many times the batch's size.
  case batch(times: Int)

  /// From the sizes in two batches; nil if it is neither.
  init?(_ sizes: (Int, Int), in batches: (Int, Int)) {
    if sizes.0 == sizes.1 {
      self = .fixed(sizes.0)
    } else if sizes.0 % batches.0 == 0, sizes.0 / batches.0 * batches.1 == sizes.1 {
      self = .batch(times: sizes.0 / batches.0)
    } else {
      return nil
    }
  }

  /// The size if it is fixed.
  var size: Int? { if case .fixed(let size) = self { size } else { nil } }
}
