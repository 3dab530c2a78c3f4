internal import CKernels

// Goals, in order:
// 1. The same bits for any number of threads: work is cut by the geometry alone.
// 2. im2col matrices stay in the cache: a tile of images at a time.
// 3. The wide side of a layer is never expanded by im2col where the other side has few channels.
// 4. Fewer multiplications, by Winograd convolution.

/// output = the convolution of `input`; also the gradient of `convTranspose2d` with respect to its
/// input.
///
/// Shapes: input `[batch, inputHeight, inputWidth, inputChannels]`, output likewise, weights
/// `[kernelHeight, kernelWidth, inputChannels, outputChannels]`. Operands are rounded to
/// `precision`, sums are float32. `usesTiles` as for `gemm`.
public func conv2d(
  _ input: Floats, _ weights: Floats, _ output: MutableFloats, _ g: ConvolutionGeometry,
  precision: Precision = .float32, usesTiles: Bool = true
) {
  let (input, weights, packing) = rounded(
    input, count: g.batch * g.inputImage, weights, count: g.weights, precision, usesTiles)
  switch ConvolutionStrategy(g, .conv2d, packing) {
  case .gemm:
    gemm(
      input, transposed: false, weights, transposed: false, output, m: g.batch * g.outputPixels,
      n: g.outputChannels, k: g.receptiveField, accumulate: false, precision: packing.precision,
      usesTiles: packing.isTiled)
  case .planar: conv2dPlanar(input, weights, output, g, packing)
  case .im2col: conv2dByIm2col(input, weights, output, g, packing)
  case .tiles: conv2dByTiles(input, weights, output, g, packing)
  case .winograd(let form): form.conv2d(input, weights, output)
  }
}

/// input = the adjoint of `conv2d` applied to `output`: the transposed convolution, and the
/// gradient of `conv2d` with respect to its input.
///
/// Shapes, precision and tiles as for `conv2d`.
public func convTranspose2d(
  _ output: Floats, _ weights: Floats, _ input: MutableFloats, _ g: ConvolutionGeometry,
  precision: Precision = .float32, usesTiles: Bool = true
) {
  let (output, weights, packing) = rounded(
    output, count: g.batch * g.outputImage, weights, count: g.weights, precision, usesTiles)
  switch ConvolutionStrategy(g, .transposed, packing) {
  case .gemm:
    gemm(
      output, transposed: false, weights, transposed: true, input, m: g.batch * g.outputPixels,
      n: g.receptiveField, k: g.outputChannels, accumulate: false, precision: packing.precision,
      usesTiles: packing.isTiled)
  case .planar: convTranspose2dPlanar(output, weights, input, g, packing)
  case .im2col: convTranspose2dByCol2im(output, weights, input, g, packing)
  case .tiles: convTranspose2dByTiles(output, weights, input, g, packing)
  case .winograd(let form): form.convTranspose2d(output, weights, input)
  }
}

/// weights = the gradient of both convolutions with respect to their weights, or += if
/// `accumulate`.
///
/// `input` and `output` are one's input and the other's gradient. Shapes, precision and tiles
/// as for `conv2d`.
public func conv2dWeightGradient(
  _ input: Floats, _ output: Floats, _ weights: MutableFloats, _ g: ConvolutionGeometry,
  accumulate: Bool,
  precision: Precision = .float32, usesTiles: Bool = true
) {
  let (input, output, packing) = rounded(
    input, count: g.batch * g.inputImage, output, count: g.batch * g.outputImage, precision,
    usesTiles)
  switch ConvolutionStrategy(g, .weightGradient, packing) {
  case .gemm:
    gemm(
      input, transposed: true, output, transposed: false, weights, m: g.receptiveField,
      n: g.outputChannels,
      k: g.batch * g.outputPixels, accumulate: accumulate, precision: packing.precision,
      usesTiles: packing.isTiled)
  case .planar: weightGradientPlanar(input, output, weights, g, packing, accumulate: accumulate)
  case .tiles:
    weightGradientByTiles(input, output, weights, g, packing, accumulate: accumulate)
  case .winograd(let form):
    form.weightGradient(input, output, weights, accumulate: accumulate)
  case .im2col where g.weights <= maximumRepeatedWeights:
    weightGradientByImages(input, output, weights, g, packing, accumulate: accumulate)
  case .im2col:
    weightGradientByKernelRows(input, output, weights, g, packing, accumulate: accumulate)
  }
}
