internal import CKernels

// Convolutions as GEMMs of matrices of patches, `[output pixels, what each sees]`.

func conv2dByIm2col(
  _ input: Input, _ weights: Input, _ output: Output, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.patchTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patch)
    im2col(input, images, 0..<g.kernelHeight, patches, g)
    gemm(
      packing,
      matrix(patches, columns: g.patch), matrix(weights, columns: g.outputChannels),
      output + images.lowerBound * g.outputImage, columnsOfC: g.outputChannels,
      m: images.count * g.outputPixels, n: g.outputChannels, k: g.patch, accumulate: false)
  }
}

func convTranspose2dByCol2im(
  _ output: Input, _ weights: Input, _ input: Output, _ g: ConvolutionGeometry,
  _ packing: Packing
) {
  let tiles = g.patchTiles
  Workers.forEach(tiles.count) { tile, _ in
    let images = tiles[tile]
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patch)
    gemm(
      packing,
      matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels),
      transposed(weights, columns: g.outputChannels), patches, columnsOfC: g.patch,
      m: images.count * g.outputPixels, n: g.patch, k: g.outputChannels, accumulate: false)
    col2im(patches, images, input, g)
  }
}

/// One piece for each kernel row, which goes over all images: every piece has weights of its own.
func weightGradientByKernelRows(
  _ input: Input, _ output: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.patchTiles
  Workers.forEach(g.kernelHeight) { row, _ in
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patchRow)
    for tile in 0..<tiles.count {
      let images = tiles[tile]
      im2col(input, images, row..<row + 1, patches, g)
      gemm(
        packing,
        transposed(patches, columns: g.patchRow),
        matrix(output + images.lowerBound * g.outputImage, columns: g.outputChannels),
        weights + row * g.patchRow * g.outputChannels, columnsOfC: g.outputChannels, m: g.patchRow,
        n: g.outputChannels, k: images.count * g.outputPixels, accumulate: accumulate || tile > 0)
    }
  }
}

/// Small pieces of weights are repeated for a few parts of the batch, and added up in order.
func weightGradientByImages(
  _ input: Input, _ output: Input, _ weights: Output, _ g: ConvolutionGeometry,
  _ packing: Packing, accumulate: Bool
) {
  let tiles = g.patchTiles
  let partials = sumOverParts(of: tiles, size: g.weights) { images, sum, begun in
    let patches = Scratch.patches.floats(tiles.largest * g.outputPixels * g.patch)
    im2col(input, images, 0..<g.kernelHeight, patches, g)
    gemm(
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
