import LatheTensors

/// Divides a weight by an estimate of its largest singular value.
///
/// Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018,
/// Algorithm 1: one power iteration per training pass, from a vector that is kept. Gradients flow
/// through the singular value, not through the vectors.
public struct SpectralNormalization {
  /// The left vector, `[outputs]`.
  public let u: Buffer

  /// For a weight whose last axis has `outputs` elements; of a transposed convolution these are its
  /// inputs.
  public init(_ scope: Scope, outputs: Int) {
    u = scope.buffer("u", [outputs], .normal(standardDeviation: 1), momentum: 0)
  }

  /// weight / σ, with σ = v · W u for W the weight as a `[inputs, outputs]` matrix.
  public func callAsFunction(_ weight: Tensor, mode: Mode) -> Tensor {
    asOneOperation(.spectralNormalization, of: [weight, u.value]) { normalized(weight, mode) }
  }

  private func normalized(_ weight: Tensor, _ mode: Mode) -> Tensor {
    let outputs = weight.shape[-1]
    let matrix = weight.reshaped(to: [weight.shape.count / outputs, outputs])
    let (v, next) = powerIteration(matrix.detached)
    if mode == .training { u.noteUpdate(next.reshaped(to: [outputs])) }
    let sigma = matmul(v, matmul(matrix, next), transposeFirst: true)  // [1, 1]
    return weight / sigma.reshaped(to: [1])
  }

  /// v = W u / ‖W u‖, u′ = Wᵀ v / ‖Wᵀ v‖, as columns.
  private func powerIteration(_ matrix: Tensor) -> (v: Tensor, u: Tensor) {
    let v = unit(matmul(matrix, u.value.reshaped(to: [u.shape[0], 1])))
    return (v, unit(matmul(matrix, v, transposeFirst: true)))
  }

  private func unit(_ column: Tensor) -> Tensor {
    column / (sqrt(column.squared.sum()) + 1e-12)
  }
}
