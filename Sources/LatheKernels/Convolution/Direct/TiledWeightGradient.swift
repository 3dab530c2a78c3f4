internal import CKernels

/// weights = the gradient, or += : for each tile of images, output pixels are the contraction.
///
/// A piece is some input channels of one kernel row: their pixels become columns side by side,
/// which meet every panel of output channels.
func weightGradientByTiles(
  _ input: Floats, _ output: Floats, _ weights: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing,
  accumulate: Bool
) {
  let layer = TiledConvolution(convolution: g, packing: .floats)
  let tiles = g.gradientTiles
  if g.batch * g.outputPixels == 0 && !accumulate { fill(weights, with: 0, count: g.weights) }
  for tile in 0..<tiles.count {
    let gradient = TiledGradient(layer, tiles[tile], input, output)
    gradient.add(to: weights, packing, adds: accumulate || tile > 0)
  }
}

/// What one tile of images adds to the gradient.
private struct TiledGradient {
  let layer: TiledConvolution
  let images: Range<Int>
  let output: Floats
  let bordered: MutableFloats
  /// Where each output pixel's receptive field begins.
  let lines: UnsafeMutablePointer<Int>

  var pixels: Int { images.count * layer.geometry.outputPixels }

  init(_ layer: TiledConvolution, _ images: Range<Int>, _ input: Floats, _ output: Floats) {
    self.layer = layer
    self.images = images
    self.output = output + images.lowerBound * layer.geometry.outputImage
    let bordered = Scratch.image.floats(images.count * layer.borderedImage)
    self.bordered = bordered
    Workers.forEach(images.count) { image, _ in
      var border = layer.border
      ck_pack_images(
        0, input + (images.lowerBound + image) * layer.sourceImage, &border, 1,
        bordered + image * layer.borderedImage)
    }
    lines = layer.rowPlaces(images: images.count)
  }

  func add(to weights: MutableFloats, _ packing: Packing, adds: Bool) {
    let g = layer.geometry
    let length = packing.length(of: pixels)
    let panels = packOutput(packing)
    let gradientRows = max(panelWidth, gradientLength / max(1, length) / panelWidth * panelWidth)
    let parts = (g.receptiveFieldRow + gradientRows - 1) / gradientRows
    Workers.forEach(g.kernelHeight * parts) { piece, _ in
      let (row, part) = piece.quotientAndRemainder(dividingBy: parts)
      let first = part * gradientRows
      let taken = min(gradientRows, g.receptiveFieldRow - first)
      let packed = Scratch.left.floats((taken + panelWidth) * length)
      ck_pack_columns(
        packing.flag, bordered + row * layer.borderedLine + first, lines, pixels, taken, packed)
      multiply(
        packed, panels, rows: taken, packing,
        to: weights + (row * g.receptiveFieldRow + first) * g.outputChannels, adds: adds)
    }
  }

  /// Whether the gradient is large, aligned and written once, so that it goes past the cache.
  private func streams(_ weights: MutableFloats) -> Bool {
    let g = layer.geometry
    return images.count == g.batch && g.weights >= 1 << 20 && g.outputChannels % 16 == 0
      && Int(bitPattern: weights) % 64 == 0
  }

  private func packOutput(_ packing: Packing) -> MutableFloats {
    let channels = layer.geometry.outputChannels
    let size = packing.length(of: pixels) * panelWidth
    let panels = Scratch.weights.floats(layer.panels * size)
    Workers.forEach((layer.panels + panelsTogether - 1) / panelsTogether) { group, _ in
      let panel = group * panelsTogether
      ck_pack_panels(
        packing.flag, output + panel * panelWidth, 0, channels, pixels,
        min(panelsTogether * panelWidth, channels - panel * panelWidth), size,
        panels + panel * size)
    }
    return panels
  }

  private func multiply(
    _ packed: MutableFloats, _ panels: MutableFloats, rows: Int, _ packing: Packing,
    to weights: MutableFloats,
    adds: Bool
  ) {
    let channels = layer.geometry.outputChannels
    let length = packing.length(of: pixels)
    let places = Scratch.places.integers(2 * rows)
    for row in 0..<rows {
      places[row] = row / tileRows * tileRows * length + row % tileRows
      places[rows + row] = row * channels
    }
    var job = ck_tiles()
    job.bf16_pairs = packing.flag
    job.adds = adds ? 1 : 0
    job.rows = rows
    job.a = Floats(packed)
    job.a_rows = UnsafePointer(places)
    job.a_step = tileRows
    job.streams = streams(weights) && !adds ? 1 : 0
    job.runs = 1
    job.run_length = length
    job.c_rows = UnsafePointer(places) + rows
    for panel in 0..<layer.panels {
      job.columns = min(panelWidth, channels - panel * panelWidth)
      job.panel = Floats(panels) + panel * length * panelWidth
      job.c = weights + panel * panelWidth
      ck_multiply_tiles(&job)
    }
  }
}

/// Packed elements of the input image in one piece: they stay in the cache while they meet every
/// panel.
private let gradientLength = 1 << 17

extension ConvolutionGeometry {
  /// Output pixels that are contracted at a time: more where the gradient is large.
  fileprivate var gradientTiles: ImageTiles {
    ImageTiles(batch: batch, pixels: outputPixels, rows: weights >= 1 << 21 ? 1024 : 512)
  }
}
