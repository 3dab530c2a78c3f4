// What chooses kernels by shape, LatheKernels' GEMM and convolutions, for the driver to call.
// `check` compiles it and those sources as Embedded Swift, whose library the toolchain has for
// arm64 too.
import CKernels
import LatheKernels

@_cdecl("lathe_gemm")
public func latheGEMM(
  _ a: Floats, _ aTransposed: CInt, _ b: Floats, _ bTransposed: CInt, _ c: MutableFloats,
  _ m: Int, _ n: Int, _ k: Int, _ accumulate: CInt, _ isBFloat16: CInt
) {
  gemm(
    a, transposed: aTransposed != 0, b, transposed: bTransposed != 0, c, m: m, n: n, k: k,
    accumulate: accumulate != 0, precision: isBFloat16 != 0 ? .bfloat16 : .float32)
}

/// Writes what `direction` says: the output, the input or the weights.
@_cdecl("lathe_convolve")
public func latheConvolve(
  _ direction: CInt, _ geometry: UnsafePointer<ck_geometry>, _ batch: Int, _ input: MutableFloats,
  _ output: MutableFloats, _ weights: MutableFloats, _ isBFloat16: CInt
) {
  let g = geometry.pointee
  let sizes = ConvolutionGeometry(
    batch: batch, inputHeight: g.input_height, inputWidth: g.input_width,
    inputChannels: g.input_channels, outputHeight: g.output_height, outputWidth: g.output_width,
    outputChannels: g.output_channels, kernelHeight: g.kernel_height, kernelWidth: g.kernel_width,
    strideHeight: g.stride_height, strideWidth: g.stride_width, paddingTop: g.padding_top,
    paddingLeft: g.padding_left)
  let precision = isBFloat16 != 0 ? Precision.bfloat16 : .float32
  switch direction {
  case 0: conv2d(input, weights, output, sizes, precision: precision)
  case 1: convTranspose2d(output, weights, input, sizes, precision: precision)
  default:
    conv2dWeightGradient(
      input, output, weights, sizes, accumulate: false, precision: precision)
  }
}
