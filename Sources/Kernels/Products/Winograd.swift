internal import CKernels

// Convolutions by minimal filtering (Winograd): several small pixels of a tile share multiplications, 25 instead
// of 64 for 4 × 4 pixels that see two taps along an axis. A tile's big pixels become points, in each of which
// the convolution is a matrix product, and the points become small pixels; the transposed convolution and the
// gradient of the weights are the adjoints, step by step.
//
// Each number's chain of operations is fixed by the geometry of an image, that of a gradient by the batch.

/// A convolution in tiles.
struct Winograd {
  let geometry: ConvolutionGeometry
  private let shape: ck_winograd

  /// nil where the kernel has no such form, or a direct convolution wins.
  init?(_ g: ConvolutionGeometry) {
    let (kernel, stride) = (g.kernelHeight, g.strideHeight)
    guard kernel == g.kernelWidth && stride == g.strideWidth else { return nil }
    let taps = (kernel + stride - 1) / stride
    guard taps == 2 || taps == 3 else { return nil }
    let outputs = pointsAlong + 1 - taps
    geometry = g
    shape = ck_winograd(
      geometry: g.loops, outputs: outputs, taps: taps,
      tiles_down: (g.smallHeight + outputs - 1) / outputs,
      tiles_across: (g.smallWidth + outputs - 1) / outputs)
    guard wins else { return nil }
  }

  /// Whether the way to points and back is worth it: products of channels are well below those of a direct
  /// convolution, and each number at a point takes part in enough of them.
  private var wins: Bool {
    let g = geometry
    let direct = g.smallPixels * g.kernelHeight * g.kernelWidth
    return 10 * tilesOfImage * points * phases <= 7 * direct && g.smallPixels >= 36
      && min(g.smallChannels, g.bigChannels) >= 32
  }

  private var tilesOfImage: Int { shape.tiles_down * shape.tiles_across }
  private var phases: Int { geometry.strideHeight * geometry.strideWidth }
  /// Big channels of all phases.
  private var lines: Int { phases * geometry.bigChannels }
  private var smallChannels: Int { geometry.smallChannels }

  /// Tiles of whole images that are worked on together.
  private func forEachSection(_ body: (_ tiles: Range<Int>) -> Void) {
    let images = ImageTiles(batch: geometry.batch, pixels: tilesOfImage, rows: sectionTiles)
    for section in 0..<images.count {
      let range = images[section]
      body(range.lowerBound * tilesOfImage..<range.upperBound * tilesOfImage)
    }
  }

  /// Groups of lines, each of one phase.
  private var lineGroups: [Range<Int>] {
    (0..<phases).flatMap { phase in
      stride(from: 0, to: geometry.bigChannels, by: groupColumns).map { channel in
        let first = phase * geometry.bigChannels + channel
        return first..<first + min(groupColumns, geometry.bigChannels - channel)
      }
    }
  }

  private var columnGroups: [Range<Int>] {
    stride(from: 0, to: smallChannels, by: groupColumns).map {
      $0..<min(smallChannels, $0 + groupColumns)
    }
  }
}

/// Points along an axis, and of a tile.
private let pointsAlong = 5
private let points = pointsAlong * pointsAlong

/// Tiles whose points are in memory at a time, and those of them that one product takes.
private let sectionTiles = 512
private let blockTiles = 96

/// Columns of the result in a piece of work.
private let groupColumns = 64

/// Matrices at the points, one after another: element (row, column) of point p lies at
/// p * apart + row * columns + column.
private struct PointMatrices {
  let start: Output
  let columns, apart: Int

  /// `apart` is no power of 2: lines at all points have room in a cache's sets.
  init(_ slot: Scratch, rows: Int, columns: Int) {
    self.columns = columns
    apart = rows * columns + 16
    start = slot.floats(points * apart)
  }

  func at(_ row: Int, _ column: Int = 0) -> ck_points {
    ck_points(start: start + row * columns + column, stride: columns, apart: apart)
  }

  func matrix(_ point: Int, fromRow row: Int = 0, transposed: Bool = false) -> Operand {
    Operand(
      start: start + point * apart + row * columns, transposed: transposed, columns: columns)
  }
}

/// Right operands at the points, as panels.
private struct PointPanels {
  let start: Output
  let length, panels: Int

  init(_ slot: Scratch, length: Int, columns: Int) {
    self.length = length
    panels = (columns + panelWidth - 1) / panelWidth
    start = slot.floats(points * panels * length * panelWidth)
  }

  func of(_ point: Int) -> Output { start + point * panels * length * panelWidth }
}

// MARK: Directions

extension Winograd {
  func convolve(_ big: Input, _ weights: Input, _ small: Output) {
    forEachSection { tiles in
      let seen = bigPoints(big, tiles)
      let groups = columnGroups
      Workers.forEach(groups.count) { group, _ in
        let columns = groups[group]
        let panels = weightPanels(weights, columns: columns)
        forEachBlock(tiles) { block in
          let sums = multiply(
            seen, block.lowerBound - tiles.lowerBound, block.count, panels, columns.count)
          each(columns) { channel, taken in
            withShape {
              ck_winograd_to_small(
                sums.at(0, channel - columns.lowerBound), $0,
                lines(block, channel: channel, taken), small)
            }
          }
        }
      }
    }
  }

  func convolveTransposed(_ small: Input, _ weights: Input, _ big: Output) {
    if !coversBig { fill(big, with: 0, count: geometry.batch * geometry.bigImage) }
    forEachSection { tiles in
      let seen = smallPoints(small, tiles)
      let groups = lineGroups
      Workers.forEach(groups.count) { group, _ in
        let range = groups[group]
        let panels = weightPanels(weights, lines: range)
        forEachBlock(tiles) { block in
          let sums = multiply(
            seen, block.lowerBound - tiles.lowerBound, block.count, panels, range.count)
          withShape { ck_winograd_to_big(sums.at(0), $0, lines(block, range), big) }
        }
      }
    }
  }

  func weightGradient(_ big: Input, _ small: Input, _ weights: Output, accumulate: Bool) {
    var adds = accumulate
    if geometry.batch == 0 && !adds { fill(weights, with: 0, count: geometry.weights) }
    forEachSection { tiles in
      let panels = smallPanels(small, tiles)
      let groups = lineGroups
      Workers.forEach(groups.count) { group, _ in
        let range = groups[group]
        let seen = PointMatrices(.patches, rows: tiles.count, columns: range.count)
        withShape { ck_winograd_from_big(big, $0, lines(tiles, range), seen.at(0)) }
        let sums = PointMatrices(.block, rows: range.count, columns: smallChannels)
        for point in 0..<points {
          product(seen.matrix(point, transposed: true), panels, point).write(
            0..<range.count, 0..<smallChannels, to: sums.start + point * sums.apart,
            columnsOfC: smallChannels, accumulate: false)
        }
        each(0..<smallChannels) { channel, taken in
          let lines = ck_lines(
            first: range.lowerBound, count: range.count, phase: 0, channel: channel,
            channels: taken)
          withShape { ck_winograd_to_weights(sums.at(0, channel), $0, lines, adds ? 1 : 0, weights) }
        }
      }
      adds = true
    }
  }

  /// Whether every big pixel is part of a tile.
  private var coversBig: Bool {
    let g = geometry
    func covered(_ tiles: Int, _ padding: Int) -> Int {
      (tiles * shape.outputs + shape.taps - 1) * g.strideHeight - padding
    }
    return covered(shape.tiles_down, g.paddingTop) >= g.bigHeight
      && covered(shape.tiles_across, g.paddingLeft) >= g.bigWidth
  }
}

// MARK: Points

extension Winograd {
  /// `[tiles, lines]` at each point.
  private func bigPoints(_ big: Input, _ tiles: Range<Int>) -> PointMatrices {
    let matrices = PointMatrices(.image, rows: tiles.count, columns: lines)
    let groups = lineGroups
    forEachBlockOnAnyThread(tiles) { block in
      for range in groups {
        withShape {
          ck_winograd_from_big(
            big, $0, lines(block, range),
            matrices.at(block.lowerBound - tiles.lowerBound, range.lowerBound))
        }
      }
    }
    return matrices
  }

  /// `[tiles, small channels]` at each point.
  private func smallPoints(_ small: Input, _ tiles: Range<Int>) -> PointMatrices {
    let matrices = PointMatrices(.image, rows: tiles.count, columns: smallChannels)
    forEachBlockOnAnyThread(tiles) { block in
      writeSmallPoints(small, block, matrices, row: block.lowerBound - tiles.lowerBound)
    }
    return matrices
  }

  /// The same as right operands.
  private func smallPanels(_ small: Input, _ tiles: Range<Int>) -> PointPanels {
    let panels = PointPanels(.panels, length: tiles.count, columns: smallChannels)
    forEachBlockOnAnyThread(tiles) { block in
      let matrices = PointMatrices(.block, rows: block.count, columns: smallChannels)
      writeSmallPoints(small, block, matrices, row: 0)
      let line = (block.lowerBound - tiles.lowerBound) * panelWidth
      for point in 0..<points {
        ck_pack_panels(
          0, matrices.start + point * matrices.apart, 0, smallChannels, block.count,
          smallChannels, panels.length * panelWidth, panels.of(point) + line)
      }
    }
    return panels
  }

  private func writeSmallPoints(
    _ small: Input, _ block: Range<Int>, _ matrices: PointMatrices, row: Int
  ) {
    each(0..<smallChannels) { channel, taken in
      withShape {
        ck_winograd_from_small(
          small, $0, lines(block, channel: channel, taken), matrices.at(row, channel))
      }
    }
  }

  /// Weights `[lines, some small channels]` at each point.
  private func weightPanels(_ weights: Input, columns: Range<Int>) -> PointPanels {
    let panels = PointPanels(.weights, length: lines, columns: columns.count)
    for first in stride(from: 0, to: lines, by: groupColumns) {
      let range = first..<min(lines, first + groupColumns)
      let matrices = weightPoints(weights, range, columns)
      for point in 0..<points {
        ck_pack_panels(
          0, matrices.start + point * matrices.apart, 0, columns.count, range.count,
          columns.count, lines * panelWidth, panels.of(point) + first * panelWidth)
      }
    }
    return panels
  }

  /// Weights `[small channels, some lines]` at each point.
  private func weightPanels(_ weights: Input, lines range: Range<Int>) -> PointPanels {
    let panels = PointPanels(.weights, length: smallChannels, columns: range.count)
    for columns in columnGroups {
      let matrices = weightPoints(weights, range, columns)
      for point in 0..<points {
        ck_pack_panels(
          0, matrices.start + point * matrices.apart, 1, columns.count, columns.count,
          range.count, smallChannels * panelWidth,
          panels.of(point) + columns.lowerBound * panelWidth)
      }
    }
    return panels
  }

  private func weightPoints(_ weights: Input, _ range: Range<Int>, _ columns: Range<Int>)
    -> PointMatrices
  {
    let matrices = PointMatrices(.block, rows: range.count, columns: columns.count)
    let lines = ck_lines(
      first: range.lowerBound, count: range.count, phase: 0, channel: columns.lowerBound,
      channels: columns.count)
    withShape { ck_winograd_from_weights(weights, $0, lines, matrices.at(0)) }
    return matrices
  }

  /// Some rows of `seen` times `panels`, point by point.
  private func multiply(
    _ seen: PointMatrices, _ row: Int, _ rows: Int, _ panels: PointPanels, _ columns: Int
  ) -> PointMatrices {
    let sums = PointMatrices(.block, rows: rows, columns: columns)
    for point in 0..<points {
      product(seen.matrix(point, fromRow: row), panels, point).write(
        0..<rows, 0..<columns, to: sums.start + point * sums.apart, columnsOfC: columns,
        accumulate: false)
    }
    return sums
  }

  private func product(_ left: Operand, _ panels: PointPanels, _ point: Int) -> TiledProduct {
    // Only the panels of the right operand are read.
    var product = TiledProduct(left: left, right: left, k: panels.length, words: .floats)
    product.packed = Input(panels.of(point))
    return product
  }
}

// MARK: Ranges

extension Winograd {
  private func forEachBlock(_ tiles: Range<Int>, _ body: (Range<Int>) -> Void) {
    for first in stride(from: tiles.lowerBound, to: tiles.upperBound, by: blockTiles) {
      body(first..<min(tiles.upperBound, first + blockTiles))
    }
  }

  private func forEachBlockOnAnyThread(_ tiles: Range<Int>, _ body: (Range<Int>) -> Void) {
    forEachRange(tiles.count, size: blockTiles) { range in
      body(tiles.lowerBound + range.lowerBound..<tiles.lowerBound + range.upperBound)
    }
  }

  /// Runs `body` for channels that one call takes.
  private func each(_ channels: Range<Int>, _ body: (_ first: Int, _ count: Int) -> Void) {
    for first in stride(from: channels.lowerBound, to: channels.upperBound, by: CK_BLOCK) {
      body(first, min(CK_BLOCK, channels.upperBound - first))
    }
  }

  private func lines(_ tiles: Range<Int>, channel: Int, _ channels: Int) -> ck_lines {
    ck_lines(
      first: tiles.lowerBound, count: tiles.count, phase: 0, channel: channel, channels: channels)
  }

  private func lines(_ tiles: Range<Int>, _ range: Range<Int>) -> ck_lines {
    let (phase, channel) = range.lowerBound.quotientAndRemainder(
      dividingBy: geometry.bigChannels)
    return ck_lines(
      first: tiles.lowerBound, count: tiles.count, phase: phase, channel: channel,
      channels: range.count)
  }

  private func withShape(_ body: (UnsafePointer<ck_winograd>) -> Void) {
    withUnsafePointer(to: shape, body)
  }
}
