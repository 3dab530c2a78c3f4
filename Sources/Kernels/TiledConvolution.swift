internal import CKernels

// Convolutions by tiles whose rows are read straight from images with a border of zeros: what an output
// pixel sees in one kernel row is one run of words there. Nothing is written out as patches.

/// Some output pixels of a layer and the weights that they share.
///
/// A convolution has one pass. A transposed convolution has one for each remainder of the big pixel's
/// coordinates by the strides: its pixels meet the same kernel places, and see the small image as a
/// convolution of stride 1 would.
private struct Pass {
  /// Output pixels of one image.
  let rows, columns: Int
  /// The kernel's rows and columns that take part, in the order in which the source is read.
  let kernelRows, kernelColumns: [Int]
  /// The bordered source's pixel that output (0, 0) sees first, and the steps from output to output.
  let top, left, stepDown, stepRight: Int
  /// Output (0, 0) in the output image, and the steps there.
  let firstRow, firstColumn, outputDown, outputRight: Int

  var pixels: Int { rows * columns }
  var places: Int { kernelRows.count * kernelColumns.count }
}

/// A chunk of a pass's contraction: whole kernel places.
private struct PlaceChunk {
  let rows, columns: Range<Int>
}

/// A convolution or transposed convolution by tiles.
private struct TiledConvolution {
  let geometry: ConvolutionGeometry
  let words: Words
  let isTransposed: Bool
  let border: ck_border
  let passes: [Pass]
  /// Of the source and of the output.
  let sourceChannels, channels: Int

  var sourceImage: Int { border.height * border.width * border.channels }
  var pixelWords: Int { words.holding(sourceChannels) }
  var borderedLine: Int { border.outer_width * pixelWords }
  var borderedImage: Int { border.outer_height * borderedLine }
  var outputWidth: Int { isTransposed ? geometry.bigWidth : geometry.smallWidth }
  var outputImage: Int { isTransposed ? geometry.bigImage : geometry.smallImage }
  var panels: Int { (channels + panelWidth - 1) / panelWidth }

  init(convolution g: ConvolutionGeometry, words: Words) {
    geometry = g
    self.words = words
    isTransposed = false
    sourceChannels = g.bigChannels
    channels = g.smallChannels
    border = ck_border(
      height: g.bigHeight, width: g.bigWidth, channels: g.bigChannels, top: g.paddingTop,
      left: g.paddingLeft,
      outer_height: max(
        (g.smallHeight - 1) * g.strideHeight + g.kernelHeight, g.paddingTop + g.bigHeight),
      outer_width: max(
        (g.smallWidth - 1) * g.strideWidth + g.kernelWidth, g.paddingLeft + g.bigWidth))
    passes = [
      Pass(
        rows: g.smallHeight, columns: g.smallWidth, kernelRows: Array(0..<g.kernelHeight),
        kernelColumns: Array(0..<g.kernelWidth), top: 0, left: 0, stepDown: g.strideHeight,
        stepRight: g.strideWidth, firstRow: 0, firstColumn: 0, outputDown: 1, outputRight: 1)
    ]
  }

  init(transposed g: ConvolutionGeometry, words: Words) {
    geometry = g
    self.words = words
    isTransposed = true
    sourceChannels = g.smallChannels
    channels = g.bigChannels
    let down = Meetings(
      big: g.bigHeight, kernel: g.kernelHeight, stride: g.strideHeight, padding: g.paddingTop)
    let right = Meetings(
      big: g.bigWidth, kernel: g.kernelWidth, stride: g.strideWidth, padding: g.paddingLeft)
    border = ck_border(
      height: g.smallHeight, width: g.smallWidth, channels: g.smallChannels, top: down.border,
      left: right.border, outer_height: down.border + max(g.smallHeight, down.last + 1),
      outer_width: right.border + max(g.smallWidth, right.last + 1))
    passes = (0..<g.strideHeight).flatMap { p in
      (0..<g.strideWidth).map { q in
        Pass(
          rows: down.outputs(p), columns: right.outputs(q), kernelRows: down.places(p),
          kernelColumns: right.places(q), top: down.first(p), left: right.first(q), stepDown: 1,
          stepRight: 1, firstRow: p, firstColumn: q, outputDown: g.strideHeight,
          outputRight: g.strideWidth)
      }
    }
  }
}

/// Which kernel places meet which small pixels along one axis of a transposed convolution.
///
/// Big pixel p meets small pixel i through place p + padding − i · stride.
private struct Meetings {
  let big, kernel, stride, padding: Int

  /// The most small pixels that a big one meets before the last of them.
  var border: Int { (kernel + stride - 1) / stride - 1 }
  /// The last small pixel that any big one could meet.
  var last: Int { max(0, (big - 1 + padding) / stride) }

  /// Big pixels p, p + stride, …
  func outputs(_ p: Int) -> Int { max(0, (big - p + stride - 1) / stride) }

  /// Their kernel places, from the first small pixel to the last.
  func places(_ p: Int) -> [Int] {
    Array(Swift.stride(from: (p + padding) % stride, to: kernel, by: stride).reversed())
  }

  /// The first small pixel that p meets, counted from the border.
  func first(_ p: Int) -> Int { border + (p + padding) / stride - max(0, places(p).count - 1) }
}

// MARK: Chunks and weights

extension TiledConvolution {
  /// Kernel rows together, or parts of one, of about `chunkWords` words.
  private func chunks(of pass: Pass) -> [PlaceChunk] {
    let (down, across) = (pass.kernelRows.count, pass.kernelColumns.count)
    if pass.places == 0 || across * pixelWords == 0 {
      return [PlaceChunk(rows: 0..<0, columns: 0..<0)]
    }
    let run = across * pixelWords
    let together = run <= chunkWords ? chunkWords / run : 1
    let parts = (run + chunkWords - 1) / chunkWords
    let width = (across + parts - 1) / parts
    return stride(from: 0, to: down, by: together).flatMap { row in
      stride(from: 0, to: across, by: width).map { column in
        PlaceChunk(
          rows: row..<min(down, row + together), columns: column..<min(across, column + width))
      }
    }
  }

  /// Floats in the panels of a pass for CK_PANEL channels.
  private func panelSize(_ pass: Pass) -> Int { pass.places * pixelWords * panelWidth }

  /// The weights of a chunk for one panel of output channels, in the order of the source's words.
  private func packWeights(
    _ weights: Input, _ pass: Pass, _ chunk: PlaceChunk, panel: Int, to packed: Output
  ) {
    let g = geometry
    let channel = panel * panelWidth
    let taken = min(panelWidth, channels - channel)
    var to = packed
    for row in chunk.rows {
      for column in chunk.columns {
        let place = pass.kernelRows[row] * g.kernelWidth + pass.kernelColumns[column]
        let start = weights + place * g.bigChannels * g.smallChannels
        ck_pack_panel(
          words.flag, start + channel * (isTransposed ? g.smallChannels : 1),
          isTransposed ? 1 : 0, g.smallChannels, sourceChannels, taken, to)
        to += pixelWords * panelWidth
      }
    }
  }
}

// MARK: Running

extension TiledConvolution {
  private var tiles: ImageTiles {
    ImageTiles(batch: geometry.batch, pixels: geometry.smallPixels, rows: 512)
  }

  func run(_ source: Input, _ weights: Input, _ output: Output) {
    if tiles.count > 1 {
      runByTiles(source, weights, output)
    } else if geometry.batch > 0 {
      runByPanels(source, weights, output)
    }
  }

  /// All weights are packed once; then a piece is a tile of images.
  private func runByTiles(_ source: Input, _ weights: Input, _ output: Output) {
    let packed = packAll(weights)
    let places = rowPlaces(images: tiles.largest)
    Workers.forEach(tiles.count) { tile, _ in
      let images = tiles[tile]
      let bordered = Scratch.image.floats(images.count * borderedImage)
      var border = border
      ck_pack_images(
        words.flag, source + images.lowerBound * sourceImage, &border, images.count, bordered)
      var (panelsOfPass, placesOfPass) = (Input(packed), UnsafePointer(places))
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
    _ pass: Pass, _ panel: Int, _ packed: Input, to output: Output, _ job: inout ck_tiles
  ) {
    var packed = packed
    let start = job.a
    for (number, chunk) in chunks(of: pass).enumerated() {
      set(chunk, number, panel, output, start, &job)
      job.panel = packed
      ck_multiply_tiles(&job)
      packed += job.runs * job.run_length * panelWidth
    }
    job.a = start
  }

  /// Few images: a piece is a panel of channels, whose weights are packed chunk by chunk.
  private func runByPanels(_ source: Input, _ weights: Input, _ output: Output) {
    let bordered = Scratch.image.floats(geometry.batch * borderedImage)
    Workers.forEach(geometry.batch) { image, _ in
      var border = border
      ck_pack_images(
        words.flag, source + image * sourceImage, &border, 1, bordered + image * borderedImage)
    }
    let places = rowPlaces(images: geometry.batch)
    Workers.forEach(panels) { panel, _ in
      var placesOfPass = UnsafePointer(places)
      for pass in passes {
        var job = job(pass, geometry.batch, bordered, placesOfPass, geometry.batch)
        let start = job.a
        for (number, chunk) in chunks(of: pass).enumerated() {
          set(chunk, number, panel, output, start, &job)
          let packed = Scratch.panel.floats(job.runs * job.run_length * panelWidth)
          job.panel = Input(packed)
          if let lines = linesOfWeights(weights, chunk), job.columns == panelWidth {
            job.source = lines + panel * panelWidth
            job.source_stride = channels
            job.ahead = linesAfter(chunk, lines, panel)
          } else {
            packWeights(weights, pass, chunk, panel: panel, to: packed)
          }
          ck_multiply_tiles(&job)
        }
        placesOfPass += 2 * geometry.batch * pass.pixels
      }
    }
  }

  /// The weights of a chunk where they lie in the order in which tiles read them.
  private func linesOfWeights(_ weights: Input, _ chunk: PlaceChunk) -> Input? {
    let g = geometry
    if words == .pairs || isTransposed { return nil }
    let place = chunk.rows.lowerBound * g.kernelWidth + chunk.columns.lowerBound
    return weights + place * sourceChannels * channels
  }

  /// The same panel's lines of the next chunk, or the next panel's first ones.
  private func linesAfter(_ chunk: PlaceChunk, _ lines: Input, _ panel: Int) -> ck_ahead {
    let g = geometry
    let isLast =
      chunk.rows.upperBound == g.kernelHeight && chunk.columns.upperBound == g.kernelWidth
    let taken = chunk.rows.count * chunk.columns.count * sourceChannels
    let passed = (g.kernelHeight * g.kernelWidth * sourceChannels - taken) * channels
    if isLast && panel + 1 >= panels { return ck_ahead(start: lines, stride: 0, rows: 0) }
    let next = isLast ? lines - passed + panelWidth : lines + taken * channels
    return ck_ahead(start: next + panel * panelWidth, stride: channels, rows: taken)
  }

  private func packAll(_ weights: Input) -> Output {
    let packed = Scratch.weights.floats(passes.reduce(0) { $0 + panels * panelSize($1) })
    var start = packed
    for pass in passes {
      let first = start
      Workers.forEach(panels) { panel, _ in
        var to = first + panel * panelSize(pass)
        for chunk in chunks(of: pass) {
          packWeights(weights, pass, chunk, panel: panel, to: to)
          to += chunk.rows.count * chunk.columns.count * pixelWords * panelWidth
        }
      }
      start += panels * panelSize(pass)
    }
    return packed
  }

  /// For each pass, where each row's words begin in the bordered images, and then its outputs.
  fileprivate func rowPlaces(images: Int) -> UnsafeMutablePointer<Int> {
    let places = Scratch.rows.integers(passes.reduce(0) { $0 + 2 * images * $1.pixels })
    var next = places
    for pass in passes {
      let rows = images * pass.pixels
      for image in 0..<images {
        for i in 0..<pass.rows {
          for j in 0..<pass.columns {
            next[0] =
              image * borderedImage + (pass.top + i * pass.stepDown) * borderedLine
              + (pass.left + j * pass.stepRight) * pixelWords
            let pixel =
              (pass.firstRow + i * pass.outputDown) * outputWidth + pass.firstColumn
              + j * pass.outputRight
            next[rows] = image * outputImage + pixel * channels
            next += 1
          }
        }
      }
      next += rows
    }
    return places
  }

  private func job(
    _ pass: Pass, _ images: Int, _ bordered: Output, _ places: UnsafePointer<Int>, _ most: Int
  ) -> ck_tiles {
    var job = ck_tiles()
    job.pairs = words.flag
    job.rows = images * pass.pixels
    job.a = Input(bordered)
    job.a_rows = places
    job.a_step = 1
    job.run_step = borderedLine
    job.c_rows = places + most * pass.pixels
    return job
  }

  private func set(
    _ chunk: PlaceChunk, _ number: Int, _ panel: Int, _ output: Output, _ start: Input?,
    _ job: inout ck_tiles
  ) {
    job.adds = number > 0 ? 1 : 0
    job.columns = min(panelWidth, channels - panel * panelWidth)
    job.c = output + panel * panelWidth
    job.runs = chunk.rows.count
    job.run_length = chunk.columns.count * pixelWords
    job.a =
      start.unsafelyUnwrapped + chunk.rows.lowerBound * borderedLine
      + chunk.columns.lowerBound * pixelWords
  }
}

func convolveByTiles(
  _ big: Input, _ weights: Input, _ small: Output, _ g: ConvolutionGeometry, _ words: Words
) {
  TiledConvolution(convolution: g, words: words).run(big, weights, small)
}

func convolveTransposedByTiles(
  _ small: Input, _ weights: Input, _ big: Output, _ g: ConvolutionGeometry, _ words: Words
) {
  TiledConvolution(transposed: g, words: words).run(small, weights, big)
}

// MARK: Weight gradient

/// weights = the gradient, or += : for each tile of images, small pixels are the contraction.
///
/// A piece is some big channels of one kernel row: their pixels become columns side by side, which meet
/// every panel of small channels.
func weightGradientByTiles(
  _ big: Input, _ small: Input, _ weights: Output, _ g: ConvolutionGeometry, _ words: Words,
  accumulate: Bool
) {
  let layer = TiledConvolution(convolution: g, words: .floats)
  let tiles = g.gradientTiles
  if g.batch * g.smallPixels == 0 && !accumulate { fill(weights, with: 0, count: g.weights) }
  for tile in 0..<tiles.count {
    let gradient = TiledGradient(layer, tiles[tile], big, small)
    gradient.add(to: weights, words, adds: accumulate || tile > 0)
  }
}

/// What one tile of images adds to the gradient.
private struct TiledGradient {
  let layer: TiledConvolution
  let images: Range<Int>
  let small: Input
  let bordered: Output
  /// Where each small pixel's patch begins.
  let lines: UnsafeMutablePointer<Int>

  var pixels: Int { images.count * layer.geometry.smallPixels }

  init(_ layer: TiledConvolution, _ images: Range<Int>, _ big: Input, _ small: Input) {
    self.layer = layer
    self.images = images
    self.small = small + images.lowerBound * layer.geometry.smallImage
    let bordered = Scratch.image.floats(images.count * layer.borderedImage)
    self.bordered = bordered
    Workers.forEach(images.count) { image, _ in
      var border = layer.border
      ck_pack_images(
        0, big + (images.lowerBound + image) * layer.sourceImage, &border, 1,
        bordered + image * layer.borderedImage)
    }
    lines = layer.rowPlaces(images: images.count)
  }

  func add(to weights: Output, _ words: Words, adds: Bool) {
    let g = layer.geometry
    let length = words.holding(pixels)
    let panels = packSmall(words)
    let gradientRows = max(panelWidth, gradientWords / max(1, length) / panelWidth * panelWidth)
    let parts = (g.patchRow + gradientRows - 1) / gradientRows
    Workers.forEach(g.kernelHeight * parts) { piece, _ in
      let (row, part) = piece.quotientAndRemainder(dividingBy: parts)
      let first = part * gradientRows
      let taken = min(gradientRows, g.patchRow - first)
      let packed = Scratch.left.floats((taken + panelWidth) * length)
      ck_pack_columns(
        words.flag, bordered + row * layer.borderedLine + first, lines, pixels, taken, packed)
      multiply(
        packed, panels, rows: taken, words,
        to: weights + (row * g.patchRow + first) * g.smallChannels, adds: adds)
    }
  }

  /// Whether the gradient is large, aligned and written once, so that it goes past the cache.
  private func streams(_ weights: Output) -> Bool {
    let g = layer.geometry
    return images.count == g.batch && g.weights >= 1 << 20 && g.smallChannels % 16 == 0
      && Int(bitPattern: weights) % 64 == 0
  }

  private func packSmall(_ words: Words) -> Output {
    let channels = layer.geometry.smallChannels
    let size = words.holding(pixels) * panelWidth
    let panels = Scratch.weights.floats(layer.panels * size)
    Workers.forEach(layer.panels) { panel, _ in
      ck_pack_panel(
        words.flag, small + panel * panelWidth, 0, channels, pixels,
        min(panelWidth, channels - panel * panelWidth), panels + panel * size)
    }
    return panels
  }

  private func multiply(
    _ packed: Output, _ panels: Output, rows: Int, _ words: Words, to weights: Output, adds: Bool
  ) {
    let channels = layer.geometry.smallChannels
    let length = words.holding(pixels)
    let places = Scratch.places.integers(2 * rows)
    for row in 0..<rows {
      places[row] = row / tileRows * tileRows * length + row % tileRows
      places[rows + row] = row * channels
    }
    var job = ck_tiles()
    job.pairs = words.flag
    job.adds = adds ? 1 : 0
    job.rows = rows
    job.a = Input(packed)
    job.a_rows = UnsafePointer(places)
    job.a_step = tileRows
    job.streams = streams(weights) && !adds ? 1 : 0
    job.runs = 1
    job.run_length = length
    job.c_rows = UnsafePointer(places) + rows
    for panel in 0..<layer.panels {
      job.columns = min(panelWidth, channels - panel * panelWidth)
      job.panel = Input(panels) + panel * length * panelWidth
      job.c = weights + panel * panelWidth
      ck_multiply_tiles(&job)
    }
  }
}

/// Words of the big image in one piece: they stay in the cache while they meet every panel.
private let gradientWords = 1 << 17

extension ConvolutionGeometry {
  /// Small pixels that are contracted at a time: more where the gradient is large.
  fileprivate var gradientTiles: ImageTiles {
    ImageTiles(batch: batch, pixels: smallPixels, rows: weights >= 1 << 21 ? 1024 : 512)
  }
}
