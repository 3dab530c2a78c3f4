internal import CKernels

// Which kernel computes what. The choice for a row of a product never depends on how many rows
// there are.

/// How a matrix product is computed.
enum ProductStrategy {
  case openBLAS
  /// Tiles whose rows are rows of the result.
  case tiles
  /// Tiles whose rows are columns of the result, then transposed: reads a transposed right operand
  /// as it lies, for few rows. The same bits as `tiles`.
  case tilesOfColumns

  init(left: Operand, right: Operand, m: Int, n: Int, k: Int, packing: Packing) {
    guard Tiles.available(packing) else {
      self = .openBLAS
      return
    }
    let fewRows = m < 256 && n > m && k >= 128
    self = right.transposed && !left.transposed && fewRows ? .tilesOfColumns : .tiles
  }
}

/// Whether tiles are to be had and wanted.
enum Tiles {
  private static let floats = ck_has_tiles(0) != 0
  private static let pairs = ck_has_tiles(1) != 0
  @TaskLocal static var areWanted = true

  /// Whether tiles are AVX2's: panels are packed some together, and products that are parts of a
  /// convolution take tiles too, where AVX-512's leave them to OpenBLAS.
  static let areNarrow = panelWidth == 16

  static func available(_ packing: Packing) -> Bool {
    (packing == .pairs ? pairs : floats) && areWanted
  }
}

/// How a convolution is computed.
enum ConvolutionStrategy {
  /// The input image is its own matrix of patches: 1 × 1 kernels, and kernels that cover the image.
  case product
  /// One to four output channels at stride 1: products without patches of the wide side.
  case planar
  /// Matrices of patches, tile by tile.
  case patches
  /// Tiles that read bordered images.
  case tiles
  /// Tiles of pixels that share multiplications.
  case winograd(Winograd)

  enum Direction {
    case conv2d, transposed, weightGradient
  }

  init(_ g: ConvolutionGeometry, _ direction: Direction, _ packing: Packing) {
    if g.isProduct {
      self = .product
    } else if g.hasUnitStride && g.outputChannels <= 4 && g.inputChannels >= 8 {
      self = .planar
    } else if Tiles.available(packing), let form = Winograd(g, packing) {
      self = .winograd(form)
    } else {
      let wins = Self.tilesWin(g, direction, packing)
      self = Tiles.available(packing) && wins ? .tiles : .patches
    }
  }

  /// Panels of columns should be half full. A narrow image gives runs so short that tiles of its
  /// float columns stay half empty.
  private static func tilesWin(
    _ g: ConvolutionGeometry, _ direction: Direction, _ packing: Packing
  ) -> Bool {
    switch direction {
    case .conv2d: g.outputChannels >= panelWidth / 2
    case .transposed: g.inputChannels >= panelWidth / 2
    case .weightGradient:
      g.outputChannels >= panelWidth / 2 && !(g.isNarrow && packing == .floats)
    }
  }
}
