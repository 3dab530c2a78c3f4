internal import CKernels

// Convolutions as GEMMs of matrices of col, `[output pixels, what each sees]`.

func conv2dByIm2col(
  _ input: Floats, _ weights: Floats, _ output: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.im2colTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let col = Scratch.im2col.floats(tiles.largest * g.outputPixels * g.receptiveField)
    im2col(input, images, 0..<g.kernelHeight, col, g)
    gemm(
      packing,
      matrix(col, columns: g.receptiveField), matrix(weights, columns: g.outputChannels),
      output + images.lowerBound * g.outputImage, columnsOfC: g.outputChannels,
      m: images.count * g.outputPixels, n: g.outputChannels, k: g.receptiveField, accumulate: false)
  }
}

func convTranspose2dByCol2im(
  _ output: Floats, _ weights: Floats, _ input: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.im2colTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let col = Scratch.im2col.floats(tiles.largest * g.outputPixels * g.receptiveField)
    gemm(
      packing,
      matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels),
      transposed(weights, columns: g.outputChannels), col, columnsOfC: g.receptiveField,
      m: images.count * g.outputPixels, n: g.receptiveField, k: g.outputChannels, accumulate: false)
    col2im(col, images, input, g)
  }
}

/// One piece for each kernel row, which goes over all images: every piece has weights of its own.
func weightGradientByKernelRows(
  _ input: Floats, _ output: Floats, _ weights: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.im2colTiles
  Workers.forEach(g.kernelHeight) { row, _ in
    let col = Scratch.im2col.floats(tiles.largest * g.outputPixels * g.receptiveFieldRow)
    for tile in 0..<tiles.count {
      let images = tiles[tile]
      im2col(input, images, row..<row + 1, col, g)
      gemm(
        packing,
        transposed(col, columns: g.receptiveFieldRow),
        matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels),
        weights + row * g.receptiveFieldRow * g.outputChannels, columnsOfC: g.outputChannels,
        m: g.receptiveFieldRow,
        n: g.outputChannels, k: images.count * g.outputPixels, accumulate: accumulate || tile > 0)
    }
  }
}

/// Few weights are repeated for a few parts of the batch, and added up in order.
func weightGradientByImages(
  _ input: Floats, _ output: Floats, _ weights: MutableFloats, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.im2colTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let col = Scratch.im2col.floats(tiles.largest * g.outputPixels * g.receptiveField)
    im2col(input, images, 0..<g.kernelHeight, col, g)
    gemm(
      packing,
      transposed(col, columns: g.receptiveField),
      matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels), sum,
      columnsOfC: g.outputChannels, m: g.receptiveField, n: g.outputChannels,
      k: images.count * g.outputPixels, accumulate: begun)
  }
  if !accumulate { fill(weights, with: 0, count: g.weights) }
  LatheKernels.accumulate(partials, into: weights, count: g.weights)
}

/// What output pixels of some images see through some kernel rows.
private func im2col(
  _ input: Floats, _ images: Range<Int>, _ rows: Range<Int>, _ col: MutableFloats,
  _ g: ConvolutionGeometry
) {
  var loops = g.loops
  let first = input + images.lowerBound * g.inputImage
  if g.isNarrow && rows.count == g.kernelHeight {
    let bordered = Scratch.image.floats(ck_bordered_count(&loops))
    ck_im2col_narrow(first, &loops, images.count, bordered, col)
  } else {
    ck_im2col(first, &loops, images.count, rows.lowerBound, rows.count, col)
  }
}

/// The adjoint of `im2col`.
private func col2im(
  _ col: Floats, _ images: Range<Int>, _ input: MutableFloats, _ g: ConvolutionGeometry
) {
  var loops = g.loops
  let first = input + images.lowerBound * g.inputImage
  if g.isNarrow {
    let bordered = Scratch.image.floats(ck_bordered_count(&loops))
    ck_col2im_narrow(col, &loops, images.count, bordered, first)
  } else {
    ck_col2im(col, &loops, images.count, first)
  }
}
