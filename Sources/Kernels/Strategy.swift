internal import CKernels
internal import Synchronization

// Which kernel computes what. The choice for a row of a product never depends on how many rows there are.

/// How a matrix product is computed.
enum ProductStrategy {
  case openBLAS
  /// Tiles whose rows are rows of the result.
  case tiles
  /// Tiles whose rows are columns of the result, then transposed: reads a transposed right operand as it
  /// lies, for few rows. The same bits as `tiles`.
  case tilesOfColumns

  init(left: Operand, right: Operand, m: Int, n: Int, k: Int, words: Words) {
    guard Tiles.available(words) else {
      self = .openBLAS
      return
    }
    self = right.transposed && !left.transposed && m < 256 && n > m ? .tilesOfColumns : .tiles
  }
}

/// Whether tiles are to be had and wanted.
enum Tiles {
  private static let floats = ck_has_tiles(0) != 0
  private static let pairs = ck_has_tiles(1) != 0
  static let wanted = Atomic(true)

  static func available(_ words: Words) -> Bool {
    (words == .pairs ? pairs : floats) && wanted.load(ordering: .relaxed)
  }
}
