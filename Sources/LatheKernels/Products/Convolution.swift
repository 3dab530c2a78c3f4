internal import CKernels

// Goals, in order:
// 1. The same bits for any number of threads: work is cut by the geometry alone.
// 2. Matrices of patches stay in the cache: a tile of images at a time.
// 3. The wide side of a layer is never written out as patches where the other side has few
//    channels.
// 4. Fewer multiplications, where tiles of pixels can share them (Winograd).

/// small = the convolution of `big`; also the gradient of `convolveTransposed` with respect to its
/// input.
///
/// Shapes: big `[batch, bigHeight, bigWidth, bigChannels]`, small likewise, weights
/// `[kernelHeight, kernelWidth, bigChannels, smallChannels]`. Factors are rounded to `precision`,
/// sums are float32.
public func convolve(
  _ big: Input, _ weights: Input, _ small: Output, _ g: ConvolutionGeometry,
  precision: Precision = .float32
) {
  let (big, weights, words) = rounded(
    big, count: g.batch * g.bigImage, weights, count: g.weights, precision)
  switch ConvolutionStrategy(g, .convolve, words) {
  case .product:
    matrixProduct(
      big, transposed: false, weights, transposed: false, small, m: g.batch * g.smallPixels,
      n: g.smallChannels, k: g.patch, accumulate: false, precision: words.precision)
  case .planar: convolvePlanar(big, weights, small, g, words)
  case .patches: convolvePatches(big, weights, small, g, words)
  case .tiles: convolveByTiles(big, weights, small, g, words)
  case .winograd(let form): form.convolve(big, weights, small)
  }
}

/// big = the adjoint of `convolve` applied to `small`: the transposed convolution, and the gradient
/// of `convolve` with respect to its input.
///
/// Shapes and precision as for `convolve`.
public func convolveTransposed(
  _ small: Input, _ weights: Input, _ big: Output, _ g: ConvolutionGeometry,
  precision: Precision = .float32
) {
  let (small, weights, words) = rounded(
    small, count: g.batch * g.smallImage, weights, count: g.weights, precision)
  switch ConvolutionStrategy(g, .transposed, words) {
  case .product:
    matrixProduct(
      small, transposed: false, weights, transposed: true, big, m: g.batch * g.smallPixels,
      n: g.patch, k: g.smallChannels, accumulate: false, precision: words.precision)
  case .planar: convolveTransposedPlanar(small, weights, big, g, words)
  case .patches: convolveTransposedPatches(small, weights, big, g, words)
  case .tiles: convolveTransposedByTiles(small, weights, big, g, words)
  case .winograd(let form): form.convolveTransposed(small, weights, big)
  }
}

/// weights = the gradient of both convolutions with respect to their weights, or += if
/// `accumulate`.
///
/// `big` and `small` are one's input and the other's gradient. Shapes and precision as for
/// `convolve`.
public func convolutionWeightGradient(
  _ big: Input, _ small: Input, _ weights: Output, _ g: ConvolutionGeometry, accumulate: Bool,
  precision: Precision = .float32
) {
  let (big, small, words) = rounded(
    big, count: g.batch * g.bigImage, small, count: g.batch * g.smallImage, precision)
  switch ConvolutionStrategy(g, .weightGradient, words) {
  case .product:
    matrixProduct(
      big, transposed: true, small, transposed: false, weights, m: g.patch, n: g.smallChannels,
      k: g.batch * g.smallPixels, accumulate: accumulate, precision: words.precision)
  case .planar: weightGradientPlanar(big, small, weights, g, words, accumulate: accumulate)
  case .tiles:
    weightGradientByTiles(big, small, weights, g, words, accumulate: accumulate)
  case .winograd(let form):
    form.weightGradient(big, small, weights, accumulate: accumulate)
  case .patches where g.weights <= mostWeightsToRepeat:
    weightGradientByImages(big, small, weights, g, words, accumulate: accumulate)
  case .patches: weightGradientByKernelRows(big, small, weights, g, words, accumulate: accumulate)
  }
}

// MARK: Patches

private func convolvePatches(
  _ big: Input, _ weights: Input, _ small: Output, _ g: ConvolutionGeometry,
  _ words: Words
) {
  let tiles = g.patchTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let patches = Scratch.patches.floats(tiles.largest * g.smallPixels * g.patch)
    writePatches(big, images, 0..<g.kernelHeight, patches, g)
    product(
      words,
      matrix(patches, columns: g.patch), matrix(weights, columns: g.smallChannels),
      small + images.lowerBound * g.smallImage, columnsOfC: g.smallChannels,
      m: images.count * g.smallPixels, n: g.smallChannels, k: g.patch, accumulate: false)
  }
}

private func convolveTransposedPatches(
  _ small: Input, _ weights: Input, _ big: Output, _ g: ConvolutionGeometry,
  _ words: Words
) {
  let tiles = g.patchTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let patches = Scratch.patches.floats(tiles.largest * g.smallPixels * g.patch)
    product(
      words,
      matrix(small + images.lowerBound * g.smallImage, columns: g.smallChannels),
      transposed(weights, columns: g.smallChannels), patches, columnsOfC: g.patch,
      m: images.count * g.smallPixels, n: g.patch, k: g.smallChannels, accumulate: false)
    sumPatches(patches, images, big, g)
  }
}

/// One piece for each kernel row, which goes over all images: every piece has weights of its own.
private func weightGradientByKernelRows(
  _ big: Input, _ small: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ words: Words, accumulate: Bool
) {
  let tiles = g.patchTiles
  Workers.forEach(g.kernelHeight) { row, _ in
    let patches = Scratch.patches.floats(tiles.largest * g.smallPixels * g.patchRow)
    for tile in 0..<tiles.count {
      let images = tiles[tile]
      writePatches(big, images, row..<row + 1, patches, g)
      product(
        words,
        transposed(patches, columns: g.patchRow),
        matrix(small + images.lowerBound * g.smallImage, columns: g.smallChannels),
        weights + row * g.patchRow * g.smallChannels, columnsOfC: g.smallChannels, m: g.patchRow,
        n: g.smallChannels, k: images.count * g.smallPixels, accumulate: accumulate || tile > 0)
    }
  }
}

/// Small pieces of weights are repeated for a few parts of the batch, and added up in order.
private func weightGradientByImages(
  _ big: Input, _ small: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ words: Words, accumulate: Bool
) {
  let tiles = g.patchTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let patches = Scratch.patches.floats(tiles.largest * g.smallPixels * g.patch)
    writePatches(big, images, 0..<g.kernelHeight, patches, g)
    product(
      words,
      transposed(patches, columns: g.patch),
      matrix(small + images.lowerBound * g.smallImage, columns: g.smallChannels), sum,
      columnsOfC: g.smallChannels, m: g.patch, n: g.smallChannels,
      k: images.count * g.smallPixels, accumulate: begun)
  }
  if !accumulate { fill(weights, with: 0, count: g.weights) }
  LatheKernels.accumulate(partials, into: weights, count: g.weights)
}

/// What small pixels of some images see through some kernel rows.
private func writePatches(
  _ big: Input, _ images: Range<Int>, _ rows: Range<Int>, _ patches: Output,
  _ g: ConvolutionGeometry
) {
  var loops = g.loops
  let first = big + images.lowerBound * g.bigImage
  if g.isNarrow && rows.count == g.kernelHeight {
    let bordered = Scratch.image.floats(ck_bordered_count(&loops))
    ck_narrow_patches(first, &loops, images.count, bordered, patches)
  } else {
    ck_patches(first, &loops, images.count, rows.lowerBound, rows.count, patches)
  }
}

/// The adjoint of `writePatches`.
private func sumPatches(
  _ patches: Input, _ images: Range<Int>, _ big: Output, _ g: ConvolutionGeometry
) {
  var loops = g.loops
  let first = big + images.lowerBound * g.bigImage
  if g.isNarrow {
    let bordered = Scratch.image.floats(ck_bordered_count(&loops))
    ck_sum_narrow_patches(patches, &loops, images.count, bordered, first)
  } else {
    ck_sum_patches(patches, &loops, images.count, first)
  }
}

// MARK: Planes

// With W' the weights as [kernel places · small channels, big channels]: the rows of W' bigᵀ are
// planes, one for each kernel place and small channel, that move and add up to the small image's
// channels.

private func convolvePlanar(
  _ big: Input, _ weights: Input, _ small: Output, _ g: ConvolutionGeometry, _ words: Words
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  let left = matrix(planarWeights, columns: g.bigChannels)
  var tiled = TiledProduct(
    left: matrix(big, columns: g.bigChannels), right: left.flipped, k: g.bigChannels, words: words)
  if Tiles.available(words) { tiled.packRight(columns: g.planarRows) }
  let product = tiled
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.bigPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.bigPixels)
    if product.packed == nil {
      OpenBLAS.product(
        left, transposed(big + images.lowerBound * g.bigImage, columns: g.bigChannels), planes,
        columnsOfC: pixels, m: g.planarRows, n: pixels, k: g.bigChannels, accumulate: false)
    } else {
      writePlanes(product, images, planes, g)
    }
    var loops = g.loops
    ck_sum_planar_patches(
      planes, &loops, images.count, Scratch.image.floats(g.smallWidth),
      small + images.lowerBound * g.smallImage)
  }
}

/// The product's columns, pixel by pixel, as planes.
private func writePlanes(
  _ product: TiledProduct, _ images: Range<Int>, _ planes: Output, _ g: ConvolutionGeometry
) {
  let pixels = images.count * g.bigPixels
  let block = Scratch.block.floats(transposedPixels * g.planarRows)
  for first in stride(from: 0, to: pixels, by: transposedPixels) {
    let taken = min(transposedPixels, pixels - first)
    let start = images.lowerBound * g.bigPixels + first
    product.write(
      start..<start + taken, 0..<g.planarRows, to: block, columnsOfC: g.planarRows,
      accumulate: false)
    ck_transpose(block, g.planarRows, planes + first, pixels, taken, g.planarRows)
  }
}

/// Pixels whose columns are transposed at a time, in the cache.
private let transposedPixels = 256

private func convolveTransposedPlanar(
  _ small: Input, _ weights: Input, _ big: Output, _ g: ConvolutionGeometry,
  _ words: Words
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.bigPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.bigPixels)
    writePlanes(small, images, planes, g)
    for first in stride(from: 0, to: pixels, by: g.planarBlock) {
      product(
        words,
        transposed(planes + first, columns: pixels), matrix(planarWeights, columns: g.bigChannels),
        big + images.lowerBound * g.bigImage + first * g.bigChannels, columnsOfC: g.bigChannels,
        m: min(g.planarBlock, pixels - first), n: g.bigChannels, k: g.planarRows,
        accumulate: false)
    }
  }
}

private func weightGradientPlanar(
  _ big: Input, _ small: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ words: Words, accumulate: Bool
) {
  let tiles = g.planarTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let pixels = images.count * g.bigPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.bigPixels)
    writePlanes(small, images, planes, g)
    for first in stride(from: 0, to: pixels, by: g.planarBlock) {
      let pixel = big + images.lowerBound * g.bigImage + first * g.bigChannels
      product(
        words,
        matrix(planes + first, columns: pixels), matrix(pixel, columns: g.bigChannels), sum,
        columnsOfC: g.bigChannels, m: g.planarRows, n: g.bigChannels,
        k: min(g.planarBlock, pixels - first), accumulate: begun || first > 0)
    }
  }
  let ordered = Scratch.weights.floats(g.weights)
  exchangeChannels(partials, ordered, g, toPlanar: false)
  if !accumulate { fill(weights, with: 0, count: g.weights) }
  LatheKernels.accumulate(ordered, into: weights, count: g.weights)
}

private func writePlanes(
  _ small: Input, _ images: Range<Int>, _ planes: Output, _ g: ConvolutionGeometry
) {
  var loops = g.loops
  ck_planar_patches(
    small + images.lowerBound * g.smallImage, &loops, images.count,
    Scratch.image.floats(g.smallImage), planes)
}

/// Transposes the weights of each kernel place: [big, small] to [small, big], or back.
private func exchangeChannels(
  _ from: Input, _ to: Output, _ g: ConvolutionGeometry, toPlanar: Bool
) {
  let rows = toPlanar ? g.bigChannels : g.smallChannels
  let columns = toPlanar ? g.smallChannels : g.bigChannels
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
