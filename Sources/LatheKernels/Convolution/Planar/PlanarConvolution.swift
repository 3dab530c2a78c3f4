internal import CKernels

// With W' the weights as [kernel places · output channels, input channels]: the rows of W' inputᵀ are
// planes, one for each kernel place and output channel, that move and add up to the output image's
// channels.

func conv2dPlanar(
  _ input: Input, _ weights: Input, _ output: Output, _ g: ConvolutionGeometry, _ packing: Packing
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  let left = matrix(planarWeights, columns: g.inputChannels)
  var tiled = TiledGEMM(
    left: matrix(input, columns: g.inputChannels), right: left.flipped, k: g.inputChannels,
    packing: packing)
  if Tiles.available(packing) { tiled.packRight(columns: g.planarRows) }
  let product = tiled
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.inputPixels
    let planes = Scratch.patches.floats(g.planarRows * tiles.largest * g.inputPixels)
    if product.packed == nil {
      OpenBLAS.gemm(
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
  _ product: TiledGEMM, _ images: Range<Int>, _ planes: Output, _ g: ConvolutionGeometry
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

func convTranspose2dPlanar(
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
      gemm(
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

func weightGradientPlanar(
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
      gemm(
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
