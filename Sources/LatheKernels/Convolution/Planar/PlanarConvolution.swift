internal import CKernels

// With W' the weights as [kernel places · output channels, input channels]: the rows of W' inputᵀ
// are planes, one for each kernel place and output channel, that move and add up to the output
// image's channels.

func conv2dPlanar(
  _ input: Floats, _ weights: Floats, _ output: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  let left = matrix(planarWeights, columns: g.inputChannels)
  var tiled = TiledGEMM(
    left: matrix(input, columns: g.inputChannels), right: left.flipped, k: g.inputChannels,
    packing: packing)
  if packing.isTiled { tiled.packRight(columns: g.planarRows) }
  let gemm = tiled
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.inputPixels
    let planes = Scratch.im2col.floats(g.planarRows * tiles.largest * g.inputPixels)
    if gemm.packed == nil {
      OpenBLAS.gemm(
        left, transposed(input + images.lowerBound * g.inputImage, columns: g.inputChannels),
        planes,
        columnsOfC: pixels, m: g.planarRows, n: pixels, k: g.inputChannels, accumulate: false)
    } else {
      writePlanes(gemm, images, planes, g)
    }
    var loops = g.loops
    ck_col2im_planar(
      planes, &loops, images.count, Scratch.image.floats(g.outputWidth),
      output + images.lowerBound * g.outputImage)
  }
}

/// The GEMM's columns, pixel by pixel, as planes.
private func writePlanes(
  _ gemm: TiledGEMM, _ images: Range<Int>, _ planes: MutableFloats, _ g: ConvolutionGeometry
) {
  let pixels = images.count * g.inputPixels
  let block = Scratch.block.floats(transposedPixels * g.planarRows)
  for first in stride(from: 0, to: pixels, by: transposedPixels) {
    let taken = min(transposedPixels, pixels - first)
    let start = images.lowerBound * g.inputPixels + first
    gemm.write(
      start..<start + taken, 0..<g.planarRows, to: block, columnsOfC: g.planarRows,
      accumulate: false)
    ck_transpose(block, g.planarRows, planes + first, pixels, taken, g.planarRows)
  }
}

/// Pixels whose columns are transposed at a time, in the cache.
private let transposedPixels = 256

func convTranspose2dPlanar(
  _ output: Floats, _ weights: Floats, _ input: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.planarTiles
  let planarWeights = Scratch.weights.floats(g.weights)
  exchangeChannels(weights, planarWeights, g, toPlanar: true)
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let pixels = images.count * g.inputPixels
    let planes = Scratch.im2col.floats(g.planarRows * tiles.largest * g.inputPixels)
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
  _ input: Floats, _ output: Floats, _ weights: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.planarTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let pixels = images.count * g.inputPixels
    let planes = Scratch.im2col.floats(g.planarRows * tiles.largest * g.inputPixels)
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
  _ output: Floats, _ images: Range<Int>, _ planes: MutableFloats, _ g: ConvolutionGeometry
) {
  var loops = g.loops
  ck_im2col_planar(
    output + images.lowerBound * g.outputImage, &loops, images.count,
    Scratch.image.floats(g.outputImage), planes)
}

/// Transposes the weights of each kernel place: [input, output] to [output, input], or back.
private func exchangeChannels(
  _ from: Floats, _ to: MutableFloats, _ g: ConvolutionGeometry, toPlanar: Bool
) {
  let rows = toPlanar ? g.inputChannels : g.outputChannels
  let columns = toPlanar ? g.outputChannels : g.inputChannels
  for place in 0..<g.kernelHeight * g.kernelWidth {
    let first = place * rows * columns
    ck_transpose(from + first, columns, to + first, rows, rows, columns)
  }
}
