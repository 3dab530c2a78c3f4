import LatheTensors

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
    spectral =
      spectrallyNormalized || scope.isSpectrallyNormalized
      ? SpectralNormalization(scope, outputs: outputs) : nil
  }

  /// `mode` matters only to a spectrally normalised layer; `relu` cuts off below zero.
  public func callAsFunction(_ x: Tensor, mode: Mode, relu: Bool = false) -> Tensor {
    let weight = spectral?(weight.value, mode: mode) ?? weight.value
    return addingBias(matmul(x, weight), bias.value, relu: relu)
  }
}
