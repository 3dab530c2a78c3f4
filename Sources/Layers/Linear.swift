import Tensors

/// A fully connected layer.
public struct Linear {
  /// `[inputs, outputs]` and `[outputs]`.
  public let weight, bias: Parameter
  private let spectral: SpectralNormalization?

  /// Concretely, `x · weight + bias`.
  ///
  /// Shapes: `[N, inputs]` → `[N, outputs]`.
  public init(
    _ scope: Scope, inputs: Int, outputs: Int, initializer: Initializer = .glorotUniform,
    biasInitializer: Initializer = .zeros, spectrallyNormalized: Bool = false
  ) {
    weight = scope.parameter("weight", [inputs, outputs], initializer)
    bias = scope.parameter("bias", [outputs], biasInitializer)
    spectral = spectrallyNormalized ? SpectralNormalization(scope, outputs: outputs) : nil
  }

  /// `mode` matters only to a spectrally normalised layer.
  public func callAsFunction(_ x: Tensor, mode: Mode = .inference) -> Tensor {
    matmul(x, spectral?(weight.value, mode: mode) ?? weight.value) + bias.value
  }
}
