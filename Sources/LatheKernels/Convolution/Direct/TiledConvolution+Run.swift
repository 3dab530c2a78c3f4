internal import CKernels

extension TiledConvolution {
  private var tiles: ImageTiles {
    ImageTiles(batch: geometry.batch, pixels: geometry.outputPixels, rows: 512)
  }

  func run(_ source: Floats, _ weights: Floats, _ output: MutableFloats) {
    if tiles.count > 1 {
      runByTiles(source, weights, output)
    } else if geometry.batch > 0 {
      runByPanels(source, weights, output)
    }
  }

  /// All weights are packed once; then a piece is a tile of images.
  private func runByTiles(_ source: Floats, _ weights: Floats, _ output: MutableFloats) {
    let packed = packAll(weights)
    let places = rowPlaces(images: tiles.largest)
    Workers.forEach(tiles.count) { tile, _ in
      let images = tiles[tile]
      let bordered = Scratch.image.floats(images.count * borderedImage)
      var border = border
      ck_pack_images(
        packing.flag, source + images.lowerBound * sourceImage, &border, images.count, bordered)
      var (panelsOfPass, placesOfPass) = (Floats(packed), UnsafePointer(places))
      for pass in passes {
        var job = job(pass, images.count, bordered, placesOfPass, tiles.largest)
        for panel in 0..<panels {
          multiply(
            pass, panel, panelsOfPass + panel * panelSize(pass),
            to: output + images.lowerBound * outputImage, &job)
        }
        panelsOfPass += panels * panelSize(pass)
        placesOfPass += 2 * tiles.largest * pass.pixels
      }
    }
  }

  private func multiply(
    _ pass: Pass, _ panel: Int, _ packed: Floats, to output: MutableFloats, _ job: inout ck_tiles
  ) {
    var packed = packed
    let start = job.a
    for (number, kBlock) in kBlocks(of: pass).enumerated() {
      set(kBlock, number, panel, output, start, &job)
      job.panel = packed
      ck_multiply_tiles(&job)
      packed += job.runs * job.run_length * panelWidth
    }
    job.a = start
  }

  /// Few images: a piece is a panel of channels, whose weights are packed K block by K block.
  private func runByPanels(_ source: Floats, _ weights: Floats, _ output: MutableFloats) {
    let bordered = Scratch.image.floats(geometry.batch * borderedImage)
    Workers.forEach(geometry.batch) { image, _ in
      var border = border
      ck_pack_images(
        packing.flag, source + image * sourceImage, &border, 1, bordered + image * borderedImage)
    }
    let places = rowPlaces(images: geometry.batch)
    Workers.forEach(panels) { panel, _ in
      var placesOfPass = UnsafePointer(places)
      for pass in passes {
        var job = job(pass, geometry.batch, bordered, placesOfPass, geometry.batch)
        packAndMultiply(pass, panel, weights, to: output, &job)
        placesOfPass += 2 * geometry.batch * pass.pixels
      }
    }
  }

  private func packAndMultiply(
    _ pass: Pass, _ panel: Int, _ weights: Floats, to output: MutableFloats, _ job: inout ck_tiles
  ) {
    let start = job.a
    for (number, kBlock) in kBlocks(of: pass).enumerated() {
      set(kBlock, number, panel, output, start, &job)
      let packed = Scratch.panel.floats(job.runs * job.run_length * panelWidth)
      job.panel = Floats(packed)
      if let lines = linesOfWeights(weights, kBlock), job.columns == panelWidth {
        job.source = lines + panel * panelWidth
        job.source_stride = channels
        job.ahead = linesAfter(kBlock, lines, panel)
      } else {
        packWeights(weights, pass, kBlock, panels: panel..<panel + 1, apart: 0, to: packed)
      }
      ck_multiply_tiles(&job)
    }
  }

  /// The weights of a K block where they lie in the order in which tiles read them.
  private func linesOfWeights(_ weights: Floats, _ kBlock: KBlock) -> Floats? {
    let g = geometry
    if packing == .bf16Pairs || isTransposed { return nil }
    let place = kBlock.rows.lowerBound * g.kernelWidth + kBlock.columns.lowerBound
    return weights + place * sourceChannels * channels
  }

  /// The same panel's lines of the next K block, or the next panel's first ones.
  private func linesAfter(_ kBlock: KBlock, _ lines: Floats, _ panel: Int) -> ck_ahead {
    let g = geometry
    let isLast =
      kBlock.rows.upperBound == g.kernelHeight && kBlock.columns.upperBound == g.kernelWidth
    let taken = kBlock.rows.count * kBlock.columns.count * sourceChannels
    let passed = (g.kernelHeight * g.kernelWidth * sourceChannels - taken) * channels
    if isLast && panel + 1 >= panels { return ck_ahead(start: lines, stride: 0, rows: 0) }
    let next = isLast ? lines - passed + panelWidth : lines + taken * channels
    return ck_ahead(start: next + panel * panelWidth, stride: channels, rows: taken)
  }

  private func packAll(_ weights: Floats) -> MutableFloats {
    let packed = Scratch.weights.floats(passes.reduce(0) { $0 + panels * panelSize($1) })
    var start = packed
    for pass in passes {
      let first = start
      Workers.forEach((panels + panelsTogether - 1) / panelsTogether) { group, _ in
        let panel = group * panelsTogether
        var to = first + panel * panelSize(pass)
        for kBlock in kBlocks(of: pass) {
          packWeights(
            weights, pass, kBlock, panels: panel..<min(panels, panel + panelsTogether),
            apart: panelSize(pass), to: to)
          to += kBlock.rows.count * kBlock.columns.count * packedPixel * panelWidth
        }
      }
      start += panels * panelSize(pass)
    }
    return packed
  }

  /// For each pass, where each row begins in the bordered images, and then its outputs.
  func rowPlaces(images: Int) -> UnsafeMutablePointer<Int> {
    let places = Scratch.rows.integers(passes.reduce(0) { $0 + 2 * images * $1.pixels })
    var next = places
    for pass in passes {
      for image in 0..<images {
        writePlaces(pass, image, packing: next, outputs: next + images * pass.pixels)
        next += pass.pixels
      }
      next += images * pass.pixels
    }
    return places
  }

  private func writePlaces(
    _ pass: Pass, _ image: Int, packing: UnsafeMutablePointer<Int>,
    outputs: UnsafeMutablePointer<Int>
  ) {
    for i in 0..<pass.rows {
      let line = image * borderedImage + (pass.top + i * pass.stepDown) * borderedLine
      let row = (pass.firstRow + i * pass.outputDown) * outputWidth
      for j in 0..<pass.columns {
        let pixel = row + pass.firstColumn + j * pass.outputRight
        packing[i * pass.columns + j] = line + (pass.left + j * pass.stepRight) * packedPixel
        outputs[i * pass.columns + j] = image * outputImage + pixel * channels
      }
    }
  }

  private func job(
    _ pass: Pass, _ images: Int, _ bordered: MutableFloats, _ places: UnsafePointer<Int>,
    _ imagesOfTile: Int
  ) -> ck_tiles {
    var job = ck_tiles()
    job.bf16_pairs = packing.flag
    job.rows = images * pass.pixels
    job.a = Floats(bordered)
    job.a_rows = places
    job.a_step = 1
    job.run_step = borderedLine
    job.c_rows = places + imagesOfTile * pass.pixels
    return job
  }

  private func set(
    _ kBlock: KBlock, _ number: Int, _ panel: Int, _ output: MutableFloats, _ start: Floats?,
    _ job: inout ck_tiles
  ) {
    job.adds = number > 0 ? 1 : 0
    job.columns = min(panelWidth, channels - panel * panelWidth)
    job.c = output + panel * panelWidth
    job.runs = kBlock.rows.count
    job.run_length = kBlock.columns.count * packedPixel
    job.a =
      start.unsafelyUnwrapped + kBlock.rows.lowerBound * borderedLine
      + kBlock.columns.lowerBound * packedPixel
  }
}

func conv2dByTiles(
  _ input: Floats, _ weights: Floats, _ output: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  TiledConvolution(convolution: g, packing: packing).run(input, weights, output)
}

func convTranspose2dByTiles(
  _ output: Floats, _ weights: Floats, _ input: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  TiledConvolution(transposed: g, packing: packing).run(output, weights, input)
}
