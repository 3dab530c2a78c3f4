import LatheTensors

/// A convolution with bias.
public struct Convolution {
  /// `[kernel, kernel, inputs, outputs]` and `[outputs]`.
  public let weight, bias: Parameter
  private let stride: Int
  private let padding: Padding
  private let spectral: SpectralNormalization?

  /// Shapes: `[N, H, W, inputs]` → `[N, H′, W′, outputs]`, H′ = ⌈H / stride⌉ for SAME padding.
  public init(
    _ scope: Scope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1,
    padding: Padding = .same, initializer: Initializer = .glorotUniform,
    biasInitializer: Initializer = .zeros, spectrallyNormalized: Bool = false
  ) {
    weight = scope.parameter("weight", [kernel, kernel, inputs, outputs], initializer)
    bias = scope.parameter("bias", [outputs], biasInitializer)
    self.stride = stride
    self.padding = padding
    spectral =
      spectrallyNormalized || scope.isSpectrallyNormalized
      ? SpectralNormalization(scope, outputs: outputs) : nil
  }

  /// `mode` matters only to a spectrally normalised layer; `relu` cuts off below zero.
  public func callAsFunction(_ images: Tensor, mode: Mode, relu: Bool = false)
    -> Tensor
  {
    let kernel = spectral?(weight.value, mode: mode) ?? weight.value
    return addingBias(
      convolution(images, kernel, stride: stride, padding: padding), bias.value, relu: relu)
  }
}

/// A transposed convolution with bias.
public struct TransposedConvolution {
  /// `[kernel, kernel, outputs, inputs]`, as TensorFlow's `conv2d_transpose`, and `[outputs]`.
  public let weight, bias: Parameter
  private let stride, outputPadding: Int
  private let padding: Padding
  private let spectral: SpectralNormalization?

  /// Shapes: `[N, H, W, inputs]` → `[N, H′, W′, outputs]`, H′ = stride · H for SAME padding.
  public init(
    _ scope: Scope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1,
    padding: Padding = .same, outputPadding: Int = 0, initializer: Initializer = .glorotUniform,
    biasInitializer: Initializer = .zeros
  ) {
    weight = scope.parameter("weight", [kernel, kernel, outputs, inputs], initializer)
    bias = scope.parameter("bias", [outputs], biasInitializer)
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    spectral = scope.isSpectrallyNormalized ? SpectralNormalization(scope, outputs: inputs) : nil
  }

  /// `mode` matters only to a spectrally normalised layer.
  public func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
    let kernel = spectral?(weight.value, mode: mode) ?? weight.value
    return addingBias(
      transposedConvolution(
        images, kernel, stride: stride, padding: padding, outputPadding: outputPadding),
      bias.value)
  }
}
