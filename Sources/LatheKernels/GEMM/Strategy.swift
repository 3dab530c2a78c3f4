internal import CKernels

// Which kernel computes what. The choice for a row of a GEMM never depends on how many rows
// there are.

/// How a GEMM is computed.
enum GEMMStrategy {
  case openBLAS
  /// Tiles whose rows are rows of the result.
  case tiles
  /// Tiles whose rows are columns of the result, then transposed: reads a transposed right operand
  /// as it lies, for few rows. The same bits as `tiles`.
  case tilesOfColumns

  init(left: Operand, right: Operand, m: Int, n: Int, k: Int, packing: Packing) {
    guard packing.isTiled else {
      self = .openBLAS
      return
    }
    let fewRows = m < 256 && n > m && k >= 128
    self = right.transposed && !left.transposed && fewRows ? .tilesOfColumns : .tiles
  }
}

/// The tiles of this processor.
enum Tiles {
  static let takeFloats = ck_has_tiles(0) != 0
  static let takeBF16Pairs = ck_has_tiles(1) != 0

  /// Whether tiles are AVX2's or arm64's: panels are packed some together, and GEMMs that are parts
  /// of a convolution take tiles too, where AVX-512's leave them to OpenBLAS.
  static let areNarrow = panelWidth == 16
}

/// How a convolution is computed.
enum ConvolutionStrategy {
  /// The input image is its own im2col matrix: 1 × 1 kernels, and kernels that cover the image.
  case gemm
  /// One to four output channels at stride 1: no im2col of the wide side.
  case planar
  /// Matrices of col, tile by tile.
  case im2col
  /// Tiles that read bordered images.
  case tiles
  /// Winograd convolution.
  case winograd(Winograd)

  enum Direction {
    case conv2d, transposed, weightGradient
  }

  init(_ g: ConvolutionGeometry, _ direction: Direction, _ packing: Packing) {
    if g.isGEMM {
      self = .gemm
    } else if g.hasUnitStride && g.outputChannels <= 4 && g.inputChannels >= 8 {
      self = .planar
    } else if packing.isTiled, let form = Winograd(g, packing) {
      self = .winograd(form)
    } else {
      self = packing.isTiled && Self.tilesWin(g, direction, packing) ? .tiles : .im2col
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
