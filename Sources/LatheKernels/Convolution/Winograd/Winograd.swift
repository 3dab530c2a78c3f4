internal import CKernels

// Winograd convolution: 25 multiplications instead of 64 for 4 × 4 output pixels that see two taps
// along an axis. The input transform maps a tile's input pixels to the Winograd domain. For each
// element of the domain the convolution is a GEMM. The output transform maps the sums to output
// pixels. The transposed convolution and the gradient of the weights are the adjoints, step by
// step. A longer kernel is cut into groups of two or three taps, or of four along one axis.
//
// In bfloat16 the elements of the Winograd domain are rounded.
//
// The order of each number's operations is fixed by the geometry of an image, that of a gradient by
// the batch.

/// A convolution in tiles.
struct Winograd {
  let geometry: ConvolutionGeometry
  private let packing: Packing
  private let down, across: Axis
  private let shape: ck_winograd

  /// nil where a direct convolution wins.
  init?(_ g: ConvolutionGeometry, _ packing: Packing) {
    // Eight elements amplify rounding more than five: not where they become bfloat16.
    let long = packing == .floats ? [(1, 4), (4, 1)] : []
    let forms = ([(2, 2), (3, 3), (1, 3), (3, 1)] + long).map {
      Winograd(g, packing, tapsDown: $0, tapsAcross: $1)
    }
    self = forms.min { $0.products < $1.products }!
    guard wins else { return nil }
  }

  private init(_ g: ConvolutionGeometry, _ packing: Packing, tapsDown: Int, tapsAcross: Int) {
    geometry = g
    self.packing = packing
    down = Axis(
      taps: tapsDown, kernel: g.kernelHeight, stride: g.strideHeight, output: g.outputHeight)
    across = Axis(
      taps: tapsAcross, kernel: g.kernelWidth, stride: g.strideWidth, output: g.outputWidth)
    shape = ck_winograd(
      geometry: g.loops, taps_down: tapsDown, taps_across: tapsAcross, tiles_down: down.tiles,
      tiles_across: across.tiles, phases_across: across.phases,
      phases_meet: down.groups * across.groups > 1 ? 1 : 0)
  }

  /// Products of channels for an image.
  private var products: Int { tilesOfImage * domain * phases }

  /// Whether the transforms are worth it: products of channels are well below those of a direct
  /// convolution, and each element of the domain takes part in enough of them. Along one axis the
  /// transforms are cheaper. The lines of each phase make whole pairs.
  private var wins: Bool {
    let g = geometry
    let direct = g.outputPixels * g.kernelHeight * g.kernelWidth
    let limit = down.domain == 1 || across.domain == 1 ? 0.8 : 0.7
    return Double(products) <= limit * Double(direct) && g.outputPixels >= 36
      && min(g.outputChannels, g.inputChannels) >= 32
      && (packing == .floats || g.inputChannels % 2 == 0)
  }

  private var domain: Int { down.domain * across.domain }
  private var tilesOfImage: Int { down.tiles * across.tiles }
  private var tiles: Range<Int> { 0..<geometry.batch * tilesOfImage }
  private var phases: Int { down.phases * across.phases }
  /// Input channels of all phases.
  private var lines: Int { phases * geometry.inputChannels }
  private var outputChannels: Int { geometry.outputChannels }
}

/// One axis of an image: tiles of output pixels, and phases of the input image that meet `taps`
/// taps each.
private struct Axis {
  let taps, stride, groups, outputs, tiles: Int

  init(taps: Int, kernel: Int, stride: Int, output: Int) {
    self.taps = taps
    self.stride = stride
    groups = (kernel + taps * stride - 1) / (taps * stride)
    switch taps {
    case 1: outputs = 1
    case 4: outputs = 5
    default: outputs = 6 - taps
    }
    tiles = (output + outputs - 1) / outputs
  }

  var domain: Int { outputs + taps - 1 }
  var phases: Int { stride * groups }

  /// Whether every input pixel is part of a tile.
  func covers(_ input: Int, padding: Int) -> Bool {
    (tiles * outputs + taps - 1) * stride - padding >= input
  }
}

/// Tiles of a gradient that a piece contracts, and those of them at a time.
private let sectionTiles = 480
private let gradientTiles = 240

/// Columns of the result at a time.
private let groupColumns = 256

/// A short chain rounds less, which the output transform would enlarge.
private let domainKBlock = 256

/// Floats of transformed weights at a time.
private let maximumWeights = 1 << 23

/// Tiles of a convolution that a piece takes, and those of them at a time: a long contraction has
/// many weights, which more tiles should share.
private let pieceTiles = 64
private func blockTiles(length: Int) -> Int { length <= 512 ? 48 : 64 }

/// Matrices of the Winograd domain, one for each element p: (row, column) lies at
/// p * apart + row * columns + column.
private struct WinogradMatrices {
  let start: MutableFloats
  let domain, columns, apart: Int

  /// `apart` is no power of 2: lines of all elements have room in a cache's sets.
  init(_ slot: Scratch, domain: Int, rows: Int, columns: Int) {
    self.domain = domain
    self.columns = columns
    apart = rows * columns + 16
    start = slot.floats(domain * apart)
  }

  func at(_ row: Int, _ column: Int = 0) -> ck_winograd_domain {
    ck_winograd_domain(start: start + row * columns + column, stride: columns, apart: apart)
  }

  func matrix(_ element: Int, transposed: Bool = false) -> Operand {
    Operand(start: start + element * apart, transposed: transposed, columns: columns)
  }
}

/// Right operands `[length, columns]` of the Winograd domain, as panels.
private struct WinogradPanels {
  let start: MutableFloats
  let packing: Packing
  let length, columns: Int

  /// Of one element of the domain.
  private var size: Int { Self.floats(packing, length: length, columns: columns) }

  static func floats(_ packing: Packing, length: Int, columns: Int) -> Int {
    (columns + panelWidth - 1) / panelWidth * panelWidth * packing.length(of: length)
  }

  /// Rows of the operands from `row` on, an even one for pairs.
  func pack(_ matrices: WinogradMatrices, transposed: Bool = false, rows: Int, at row: Int) {
    for element in 0..<matrices.domain {
      ck_pack_panels(
        packing.flag, matrices.start + element * matrices.apart, transposed ? 1 : 0,
        matrices.columns,
        rows, columns, packing.length(of: length) * panelWidth,
        start + element * size + packing.length(of: row) * panelWidth)
    }
  }

  /// For each element, sums = or += `left` times the panels.
  func multiply(
    _ left: WinogradMatrices, transposed: Bool = false, rows: Int, to sums: WinogradMatrices,
    accumulate: Bool = false
  ) {
    for element in 0..<left.domain {
      let operand = left.matrix(element, transposed: transposed)
      // Only the panels of the right operand are read.
      var gemm = TiledGEMM(left: operand, right: operand, k: length, packing: packing)
      gemm.packed = Floats(start + element * size)
      gemm.kBlockLength = domainKBlock
      gemm.write(
        0..<rows, 0..<columns, to: sums.start + element * sums.apart, columnsOfC: sums.columns,
        accumulate: accumulate)
    }
  }
}

// MARK: Directions

extension Winograd {
  func conv2d(_ input: Floats, _ weights: Floats, _ output: MutableFloats) {
    forEachShare(of: columnGroups, length: lines) { groups in
      let panels = weightPanels(groups, lineGroups, length: lines) { panels, columns, range in
        let matrices = filterTransform(weights, range, columns)
        panels.pack(matrices, rows: range.count, at: range.lowerBound)
      }
      forEachBlock(length: lines) { block in
        let seen = inputTransform(input, block, lineGroups)
        for (columns, panels) in zip(groups, panels) {
          let sums = winogradMatrices(.block, rows: block.count, columns: columns.count)
          panels.multiply(seen, rows: block.count, to: sums)
          withShape { ck_winograd_output_transform(sums.at(0), $0, lines(block, columns), output) }
        }
      }
    }
  }

  func convTranspose2d(_ output: Floats, _ weights: Floats, _ input: MutableFloats) {
    if !writesInput { fill(input, with: 0, count: geometry.batch * geometry.inputImage) }
    forEachShare(of: lineGroups, length: outputChannels) { groups in
      let panels = weightPanels(groups, columnGroups, length: outputChannels) {
        panels, range, columns in
        let matrices = filterTransform(weights, range, columns)
        panels.pack(matrices, transposed: true, rows: columns.count, at: columns.lowerBound)
      }
      forEachBlock(length: outputChannels) { block in
        let seen = outputTransform(output, block)
        for (range, panels) in zip(groups, panels) {
          let sums = winogradMatrices(.block, rows: block.count, columns: range.count)
          panels.multiply(seen, rows: block.count, to: sums)
          withShape {
            ck_winograd_input_transform_adjoint(sums.at(0), $0, phaseLines(block, range), input)
          }
        }
      }
    }
  }

  func weightGradient(_ input: Floats, _ output: Floats, _ weights: MutableFloats, accumulate: Bool)
  {
    if geometry.batch == 0 && !accumulate { fill(weights, with: 0, count: geometry.weights) }
    for section in tiles.cut(sectionTiles) {
      let blocks = section.cut(gradientTiles)
      let panels = outputPanels(output, blocks)
      let adds = accumulate || section.lowerBound > 0
      let groups = lineGroups
      Workers.forEach(groups.count) { group, _ in
        let range = groups[group]
        let sums = winogradMatrices(.block, rows: range.count, columns: outputChannels)
        for (block, panels) in zip(blocks, panels) {
          panels.multiply(
            inputTransform(input, block, [range]), transposed: true, rows: range.count, to: sums,
            accumulate: block.lowerBound > section.lowerBound)
        }
        for columns in columnGroups {
          withShape {
            ck_winograd_filter_transform_adjoint(
              sums.at(0, columns.lowerBound), $0, lines(range, columns), adds ? 1 : 0, weights)
          }
        }
      }
    }
  }

  /// Whether the first tile that meets an input pixel writes it: every one is part of one phase's
  /// tile.
  private var writesInput: Bool {
    let g = geometry
    return down.groups * across.groups == 1 && down.covers(g.inputHeight, padding: g.paddingTop)
      && across.covers(g.inputWidth, padding: g.paddingLeft)
  }
}

// MARK: Winograd domain

extension Winograd {
  private func winogradMatrices(_ slot: Scratch, rows: Int, columns: Int) -> WinogradMatrices {
    WinogradMatrices(slot, domain: domain, rows: rows, columns: columns)
  }

  /// `[tiles of the block, lines of the groups]` at each place of the domain.
  private func inputTransform(_ input: Floats, _ block: Range<Int>, _ groups: [Range<Int>])
    -> WinogradMatrices
  {
    let first = groups[0].lowerBound
    let matrices = winogradMatrices(
      .im2col, rows: block.count, columns: groups.last!.upperBound - first)
    for range in groups {
      withShape {
        ck_winograd_input_transform(
          input, $0, phaseLines(block, range), matrices.at(0, range.lowerBound - first))
      }
    }
    return matrices
  }

  /// `[tiles of the block, output channels]` at each place of the domain.
  private func outputTransform(_ output: Floats, _ block: Range<Int>) -> WinogradMatrices {
    let matrices = winogradMatrices(.im2col, rows: block.count, columns: outputChannels)
    for columns in columnGroups {
      withShape {
        ck_winograd_output_transform_adjoint(
          output, $0, lines(block, columns), matrices.at(0, columns.lowerBound))
      }
    }
    return matrices
  }

  /// The same as right operands.
  private func outputPanels(_ output: Floats, _ blocks: [Range<Int>]) -> [WinogradPanels] {
    let size =
      domain * WinogradPanels.floats(packing, length: gradientTiles, columns: outputChannels)
    let start = Scratch.panels.floats(blocks.count * size)
    let panels = blocks.indices.map {
      WinogradPanels(
        start: start + $0 * size, packing: packing, length: blocks[$0].count,
        columns: outputChannels)
    }
    Workers.forEach(blocks.count) { block, _ in
      panels[block].pack(outputTransform(output, blocks[block]), rows: blocks[block].count, at: 0)
    }
    return panels
  }

  /// Panels for each group of columns of the right operand; `fill` writes some of their rows.
  private func weightPanels(
    _ groups: [Range<Int>], _ rows: [Range<Int>], length: Int,
    fill: (_ panels: WinogradPanels, _ group: Range<Int>, _ rows: Range<Int>) -> Void
  ) -> [WinogradPanels] {
    let size = domain * WinogradPanels.floats(packing, length: length, columns: groupColumns)
    let start = Scratch.weights.floats(groups.count * size)
    let panels = groups.indices.map {
      WinogradPanels(
        start: start + $0 * size, packing: packing, length: length, columns: groups[$0].count)
    }
    Workers.forEach(groups.count * rows.count) { piece, _ in
      let (group, part) = piece.quotientAndRemainder(dividingBy: rows.count)
      fill(panels[group], groups[group], rows[part])
    }
    return panels
  }

  /// `[lines, some output channels]` at each place of the domain.
  private func filterTransform(_ weights: Floats, _ range: Range<Int>, _ columns: Range<Int>)
    -> WinogradMatrices
  {
    let matrices = winogradMatrices(.block, rows: range.count, columns: columns.count)
    withShape { ck_winograd_filter_transform(weights, $0, lines(range, columns), matrices.at(0)) }
    return matrices
  }
}

// MARK: Ranges

extension Range<Int> {
  /// Parts of `size`, the last one shorter.
  fileprivate func cut(_ size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min(upperBound, $0 + size) }
  }
}

extension Winograd {
  private var columnGroups: [Range<Int>] { (0..<outputChannels).cut(groupColumns) }

  /// Groups of lines, each of one phase.
  private var lineGroups: [Range<Int>] {
    (0..<lines).cut(geometry.inputChannels).flatMap { $0.cut(groupColumns) }
  }

  /// Runs `body` for so many groups of columns of a right operand as are transformed together.
  private func forEachShare(
    of groups: [Range<Int>], length: Int, _ body: (_ groups: [Range<Int>]) -> Void
  ) {
    let size = domain * WinogradPanels.floats(packing, length: length, columns: groupColumns)
    for share in groups.indices.cut(max(1, maximumWeights / size)) { body(Array(groups[share])) }
  }

  /// Runs `body` for blocks of tiles that make up all images, those of one image in order on one
  /// thread.
  private func forEachBlock(length: Int, _ body: (_ block: Range<Int>) -> Void) {
    let size = blockTiles(length: length)
    let pieces = ImageTiles(batch: geometry.batch, pixels: tilesOfImage, rows: pieceTiles)
    Workers.forEach(pieces.count) { piece, _ in
      let images = pieces[piece]
      let tiles = images.lowerBound * tilesOfImage..<images.upperBound * tilesOfImage
      for block in tiles.cut(size) { body(block) }
    }
  }

  /// Tiles or lines, and output channels.
  private func lines(_ range: Range<Int>, _ columns: Range<Int>) -> ck_lines {
    ck_lines(
      first: range.lowerBound, count: range.count, phase: 0, channel: columns.lowerBound,
      channels: columns.count)
  }

  /// Tiles, and input channels of one phase.
  private func phaseLines(_ tiles: Range<Int>, _ range: Range<Int>) -> ck_lines {
    let (phase, channel) = range.lowerBound.quotientAndRemainder(
      dividingBy: geometry.inputChannels)
    return ck_lines(
      first: tiles.lowerBound, count: tiles.count, phase: phase, channel: channel,
      channels: range.count)
  }

  private func withShape(_ body: (UnsafePointer<ck_winograd>) -> Void) {
    withUnsafePointer(to: shape, body)
  }
}
