internal import CKernels

// Goals, in order:
// 1. The same bits for any number of threads: work is cut by the geometry alone.
// 2. Matrices of patches stay in the cache: a tile of images at a time.
// 3. The wide side of a layer is never written out as patches where the other side has few
//    channels.
// 4. Fewer multiplications, where tiles of pixels can share them (Winograd).

/// output = the convolution of `input`; also the gradient of `convTranspose2d` with respect to its
/// input.
///
/// Shapes: input `[batch, inputHeight, inputWidth, inputChannels]`, output likewise, weights
/// `[kernelHeight, kernelWidth, inputChannels, outputChannels]`. Factors are rounded to `precision`,
/// sums are float32.
public func conv2d(
  _ input: Input, _ weights: Input, _ output: Output, _ g: ConvolutionGeometry,
  precision: Precision = .float32
) {
  let (input, weights, packing) = rounded(
    input, count: g.batch * g.inputImage, weights, count: g.weights, precision)
  switch ConvolutionStrategy(g, .conv2d, packing) {
  case .product:
    gemm(
      input, transposed: false, weights, transposed: false, output, m: g.batch * g.outputPixels,
      n: g.outputChannels, k: g.patch, accumulate: false, precision: packing.precision)
  case .planar: conv2dPlanar(input, weights, output, g, packing)
  case .patches: conv2dByIm2col(input, weights, output, g, packing)
  case .tiles: conv2dByTiles(input, weights, output, g, packing)
  case .winograd(let form): form.conv2d(input, weights, output)
  }
}

/// input = the adjoint of `conv2d` applied to `output`: the transposed convolution, and the gradient
/// of `conv2d` with respect to its input.
///
/// Shapes and precision as for `conv2d`.
public func convTranspose2d(
  _ output: Input, _ weights: Input, _ input: Output, _ g: ConvolutionGeometry,
  precision: Precision = .float32
) {
  let (output, weights, packing) = rounded(
    output, count: g.batch * g.outputImage, weights, count: g.weights, precision)
  switch ConvolutionStrategy(g, .transposed, packing) {
  case .product:
    gemm(
      output, transposed: false, weights, transposed: true, input, m: g.batch * g.outputPixels,
      n: g.patch, k: g.outputChannels, accumulate: false, precision: packing.precision)
  case .planar: convTranspose2dPlanar(output, weights, input, g, packing)
  case .patches: convTranspose2dByCol2im(output, weights, input, g, packing)
  case .tiles: convTranspose2dByTiles(output, weights, input, g, packing)
  case .winograd(let form): form.convTranspose2d(output, weights, input)
  }
}

/// weights = the gradient of both convolutions with respect to their weights, or += if
/// `accumulate`.
///
/// `input` and `output` are one's input and the other's gradient. Shapes and precision as for
/// `conv2d`.
public func conv2dWeightGradient(
  _ input: Input, _ output: Input, _ weights: Output, _ g: ConvolutionGeometry, accumulate: Bool,
  precision: Precision = .float32
) {
  let (input, output, packing) = rounded(
    input, count: g.batch * g.inputImage, output, count: g.batch * g.outputImage, precision)
  switch ConvolutionStrategy(g, .weightGradient, packing) {
  case .product:
    gemm(
      input, transposed: true, output, transposed: false, weights, m: g.patch, n: g.outputChannels,
      k: g.batch * g.outputPixels, accumulate: accumulate, precision: packing.precision)
  case .planar: weightGradientPlanar(input, output, weights, g, packing, accumulate: accumulate)
  case .tiles:
    weightGradientByTiles(input, output, weights, g, packing, accumulate: accumulate)
  case .winograd(let form):
    form.weightGradient(input, output, weights, accumulate: accumulate)
  case .patches where g.weights <= mostWeightsToRepeat:
    weightGradientByImages(input, output, weights, g, packing, accumulate: accumulate)
  case .patches:
    weightGradientByKernelRows(input, output, weights, g, packing, accumulate: accumulate)
  }
}

// MARK: Patches

private func conv2dByIm2col(
  _ input: Input, _ weights: Input, _ output: Output, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.patchTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patch)
    im2col(input, images, 0..<g.kernelHeight, patches, g)
    product(
      packing,
      matrix(patches, columns: g.patch), matrix(weights, columns: g.outputChannels),
      output + images.lowerBound * g.outputImage, columnsOfC: g.outputChannels,
      m: images.count * g.outputPixels, n: g.outputChannels, k: g.patch, accumulate: false)
  }
}

private func convTranspose2dByCol2im(
  _ output: Input, _ weights: Input, _ input: Output, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.patchTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patch)
    product(
      packing,
      matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels),
      transposed(weights, columns: g.outputChannels), patches, columnsOfC: g.patch,
      m: images.count * g.outputPixels, n: g.patch, k: g.outputChannels, accumulate: false)
    col2im(patches, images, input, g)
  }
}

/// One piece for each kernel row, which goes over all images: every piece has weights of its own.
private func weightGradientByKernelRows(
  _ input: Input, _ output: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.patchTiles
  Workers.forEach(g.kernelHeight) { row, _ in
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patchRow)
    for tile in 0..<tiles.count {
      let images = tiles[tile]
      im2col(input, images, row..<row + 1, patches, g)
      product(
        packing,
        transposed(patches, columns: g.patchRow),
        matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels),
        weights + row * g.patchRow * g.outputChannels, columnsOfC: g.outputChannels, m: g.patchRow,
        n: g.outputChannels, k: images.count * g.outputPixels, accumulate: accumulate || tile > 0)
    }
  }
}

/// Small pieces of weights are repeated for a few parts of the batch, and added up in order.
private func weightGradientByImages(
  _ input: Input, _ output: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.patchTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patch)
    im2col(input, images, 0..<g.kernelHeight, patches, g)
    product(
      packing,
      transposed(patches, columns: g.patch),
      matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels), sum,
      columnsOfC: g.outputChannels, m: g.patch, n: g.outputChannels,
      k: images.count * g.outputPixels, accumulate: begun)
  }
  if !accumulate { fill(weights, with: 0, count: g.weights) }
  LatheKernels.accumulate(partials, into: weights, count: g.weights)
}

/// What output pixels of some images see through some kernel rows.
private func im2col(
  _ input: Input, _ images: Range<Int>, _ rows: Range<Int>, _ patches: Output,
  _ g: ConvolutionGeometry
) {
  var loops = g.loops
  let first = input + images.lowerBound * g.inputImage
  if g.isNarrow && rows.count == g.kernelHeight {
    let bordered = Scratch.image.floats(ck_bordered_count(&loops))
    ck_im2col_narrow(first, &loops, images.count, bordered, patches)
  } else {
    ck_im2col(first, &loops, images.count, rows.lowerBound, rows.count, patches)
  }
}

/// The adjoint of `im2col`.
private func col2im(
  _ patches: Input, _ images: Range<Int>, _ input: Output, _ g: ConvolutionGeometry
) {
  var loops = g.loops
  let first = input + images.lowerBound * g.inputImage
  if g.isNarrow {
    let bordered = Scratch.image.floats(ck_bordered_count(&loops))
    ck_col2im_narrow(patches, &loops, images.count, bordered, first)
  } else {
    ck_col2im(patches, &loops, images.count, first)
  }
}

// MARK: Planes

// With W' the weights as [kernel places · output channels, input channels]: the rows of W' inputᵀ are
// planes, one for each kernel place and output channel, that move and add up to the output image's
// channels.

private func conv2dPlanar(
  _ input: Input, _ weights: Input, _ output: Output, _ g: ConvolutionGeometry, _ packing: Packing
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  let left = matrix(planarWeights, columns: g.inputChannels)
  var tiled = TiledProduct(
    left: matrix(input, columns: g.inputChannels), right: left.flipped, k: g.inputChannels,
    packing: packing)
  if Tiles.available(packing) { tiled.packRight(columns: g.planarRows) }
  let product = tiled
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.inputPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.inputPixels)
    if product.packed == nil {
      OpenBLAS.product(
        left, transposed(input + images.lowerBound * g.inputImage, columns: g.inputChannels),
        planes,
        columnsOfC: pixels, m: g.planarRows, n: pixels, k: g.inputChannels, accumulate: false)
    } else {
      writePlanes(product, images, planes, g)
    }
    var loops = g.loops
    ck_col2im_planar(
      planes, &loops, images.count, Scratch.image.floats(g.outputWidth),
      output + images.lowerBound * g.outputImage)
  }
}

/// The product's columns, pixel by pixel, as planes.
private func writePlanes(
  _ product: TiledProduct, _ images: Range<Int>, _ planes: Output, _ g: ConvolutionGeometry
) {
  let pixels = images.count * g.inputPixels
  let block = Scratch.block.floats(transposedPixels * g.planarRows)
  for first in stride(from: 0, to: pixels, by: transposedPixels) {
    let taken = min(transposedPixels, pixels - first)
    let start = images.lowerBound * g.inputPixels + first
    product.write(
      start..<start + taken, 0..<g.planarRows, to: block, columnsOfC: g.planarRows,
      accumulate: false)
    ck_transpose(block, g.planarRows, planes + first, pixels, taken, g.planarRows)
  }
}

/// Pixels whose columns are transposed at a time, in the cache.
private let transposedPixels = 256

private func convTranspose2dPlanar(
  _ output: Input, _ weights: Input, _ input: Output, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.inputPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.inputPixels)
    writePlanes(output, images, planes, g)
    for first in stride(from: 0, to: pixels, by: g.planarBlock) {
      product(
        packing,
        transposed(planes + first, columns: pixels),
        matrix(planarWeights, columns: g.inputChannels),
        input + images.lowerBound * g.inputImage + first * g.inputChannels,
        columnsOfC: g.inputChannels,
        m: min(g.planarBlock, pixels - first), n: g.inputChannels, k: g.planarRows,
        accumulate: false)
    }
  }
}

private func weightGradientPlanar(
  _ input: Input, _ output: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.planarTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let pixels = images.count * g.inputPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.inputPixels)
    writePlanes(output, images, planes, g)
    for first in stride(from: 0, to: pixels, by: g.planarBlock) {
      let pixel = input + images.lowerBound * g.inputImage + first * g.inputChannels
      product(
        packing,
        matrix(planes + first, columns: pixels), matrix(pixel, columns: g.inputChannels), sum,
        columnsOfC: g.inputChannels, m: g.planarRows, n: g.inputChannels,
        k: min(g.planarBlock, pixels - first), accumulate: begun || first > 0)
    }
  }
  let ordered = Scratch.weights.floats(g.weights)
  exchangeChannels(partials, ordered, g, toPlanar: false)
  if !accumulate { fill(weights, with: 0, count: g.weights) }
  LatheKernels.accumulate(ordered, into: weights, count: g.weights)
}

private func writePlanes(
  _ output: Input, _ images: Range<Int>, _ planes: Output, _ g: ConvolutionGeometry
) {
  var loops = g.loops
  ck_im2col_planar(
    output + images.lowerBound * g.outputImage, &loops, images.count,
    Scratch.image.floats(g.outputImage), planes)
}

/// Transposes the weights of each kernel place: [input, output] to [output, input], or back.
private func exchangeChannels(
  _ from: Input, _ to: Output, _ g: ConvolutionGeometry, toPlanar: Bool
) {
  let rows = toPlanar ? g.inputChannels : g.outputChannels
  let columns = toPlanar ? g.outputChannels : g.inputChannels
  for place in 0..<g.kernelHeight * g.kernelWidth {
    let first = place * rows * columns
    ck_transpose(from + first, columns, to + first, rows, rows, columns)
  }
}

// MARK: Parts of a batch

/// Weights of at most so many elements are repeated for parts of the batch.
private let mostWeightsToRepeat = 1 << 14

/// At most so many parts of a batch.
private let mostParts = 8

/// Sums of `size` floats over the tiles: each part of the batch has its own, then they are added in
/// order.
private func sumOverParts(
  of tiles: ImageTiles, size: Int,
  _ add: (_ images: Range<Int>, _ sum: Output, _ begun: Bool) -> Void
) -> Input {
  let parts = min(mostParts, tiles.count)
  let sums = Scratch.partials.floats(max(1, parts) * size)
  if parts == 0 { fill(sums, with: 0, count: size) }
  Workers.forEach(parts) { part, _ in
    let first = part * tiles.count / parts
    for tile in first..<(part + 1) * tiles.count / parts {
      add(tiles[tile], sums + part * size, tile > first)
    }
  }
  for part in 1..<max(1, parts) { accumulate(sums + part * size, into: sums, count: size) }
  return Input(sums)
}

private func matrix(_ start: Input, columns: Int) -> Operand {
  Operand(start: start, transposed: false, columns: columns)
}

private func transposed(_ start: Input, columns: Int) -> Operand {
  Operand(start: start, transposed: true, columns: columns)
}
