import LatheFiles
import LatheKernels

/// What batch normalisation computed: the output, and the batch's statistics as constants; those of
/// the global batch with ``SynchronizedStatistics``.
public struct BatchNormalized {
  /// Normalised, scaled and shifted, after the ReLU if one was asked for; shaped like the input.
  public let output: Tensor
  /// Mean of each channel, `[C]`.
  public let mean: Tensor
  /// Mean squared deviation of each channel (divided by the number of elements), `[C]`.
  public let variance: Tensor
}

/// γ (x − mean) / √(variance + ε) + β with the statistics of the batch, over all axes but the last.
///
/// Ioffe and Szegedy, "Batch Normalization", 2015, Algorithm 1. Shapes: `[N, …, C]`, γ and β `[C]`.
public func batchNormalization(
  _ x: Tensor, gamma: Tensor, beta: Tensor, epsilon: Float, relu: Bool = false
) -> BatchNormalized {
  let channels = x.shape[-1]
  let rows = x.shape.count / channels
  require(
    gamma.shape == [channels] && beta.shape == [channels],
    "batchNormalization: \(x.shape) with γ \(gamma.shape), β \(beta.shape)")
  let y = Storage(count: x.shape.count)
  let (mean, variance, inverse) = (
    Storage(count: channels), Storage(count: channels), Storage(count: channels)
  )
  Profile.measure(.normalization) {
    LatheKernels.moments(
      x.pointer, rows: rows, channels: channels, mean: mean.pointer, variance: variance.pointer)
  }
  SynchronizedStatistics.collectives?.join(mean: mean, variance: variance)
  Profile.measure(.normalization) {
    for c in 0..<channels {
      inverse.pointer[c] = 1 / (variance.pointer[c] + epsilon).squareRoot()
    }
    LatheKernels.normalize(
      x.pointer, rows: rows, channels: channels, gamma: gamma.pointer, beta: beta.pointer,
      mean: mean.pointer, inverseStandardDeviation: inverse.pointer, relu: relu, y.pointer)
  }
  let output = record(y, x.shape, .other("batchNormalization"), from: [x, gamma, beta]) { pull in
    if Recording.isEnabled {
      return differentiableGradients(pull, x, gamma, beta, epsilon: epsilon, relu: relu)
    }
    return fusedGradients(
      pull, x, gamma, rectifiedBeta: relu ? beta : nil, mean: mean, inverse: inverse)
  }
  return BatchNormalized(
    output: output, mean: Tensor(mean, shape: [channels]),
    variance: Tensor(variance, shape: [channels]))
}

/// γ (x − mean) / √(variance + ε) + β with given statistics, as in inference; the statistics are
/// constants.
///
/// Shapes: `[N, …, C]`, the others `[C]`.
public func normalization(
  _ x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Float,
  relu isRectified: Bool = false
) -> Tensor {
  asOneOperation(
    .normalization(epsilon: epsilon, relu: isRectified), of: [x, gamma, beta, mean, variance]
  ) {
    let scale = gamma / sqrt(variance.detached + epsilon)
    let y = (x - mean.detached) * scale + beta
    return isRectified ? relu(y) : y
  }
}

private func fusedGradients(
  _ pull: Pullback, _ x: Tensor, _ gamma: Tensor, rectifiedBeta: Tensor?, mean: Storage,
  inverse: Storage
) -> [Tensor?] {
  let channels = gamma.shape.count
  let dx = pull.inPlace
  let dGamma = pull.destination(1, count: channels)
  let dBeta = pull.destination(2, count: channels)
  let rows = x.shape.count / channels
  let beta = rectifiedBeta?.pointer
  Profile.measure(.normalizationGradient) {
    LatheKernels.normalizationSums(
      pull.gradient.pointer, x.pointer, rectifiedBeta: beta, rows: rows, channels: channels,
      gamma: gamma.pointer, mean: mean.pointer, inverseStandardDeviation: inverse.pointer,
      dGamma: dGamma.pointer, dBeta: dBeta.pointer)
  }
  let total = sumsOverSlices(dGamma, dBeta)
  Profile.measure(.normalizationGradient) {
    LatheKernels.normalizationInputGradient(
      pull.gradient.pointer, x.pointer, rectifiedBeta: beta, rows: rows, channels: channels,
      gamma: gamma.pointer, mean: mean.pointer, inverseStandardDeviation: inverse.pointer,
      dGamma: total.gamma.pointer, dBeta: total.beta.pointer, totalRows: rows * total.slices,
      dx: dx.pointer)
  }
  return [
    Tensor(dx, shape: x.shape), Tensor(dGamma, shape: [channels]), Tensor(dBeta, shape: [channels]),
  ]
}

/// dγ and dβ over the rows of all synchronized slices, and how many slices these are.
private func sumsOverSlices(_ dGamma: Storage, _ dBeta: Storage)
  -> (gamma: Storage, beta: Storage, slices: Int)
{
  guard let collectives = SynchronizedStatistics.collectives else { return (dGamma, dBeta, 1) }
  let both = concatenated(
    [Tensor(dGamma, shape: [dGamma.count]), Tensor(dBeta, shape: [dBeta.count])], axis: 0)
  let sum = summedOverSlices(both)
  return (
    sum.slice(0..<dGamma.count, axis: 0).storage,
    sum.slice(dGamma.count..<sum.shape[0], axis: 0).storage, collectives.slices
  )
}

/// The gradients as differentiable tensors: those of the same formula written in operations.
private func differentiableGradients(
  _ pull: Pullback, _ x: Tensor, _ gamma: Tensor, _ beta: Tensor, epsilon: Float,
  relu isRectified: Bool
) -> [Tensor?] {
  let axes = Array(0..<x.shape.rank - 1)
  let centred = x - averagedOverSlices(x.mean(axes, keepingDimensions: true))
  let variance = averagedOverSlices(centred.squared.mean(axes, keepingDimensions: true))
  let plain = centred / sqrt(variance + epsilon) * gamma + beta
  let y = isRectified ? relu(plain) : plain
  let inputs = [x, gamma, beta]
  let wanted = inputs.indices.filter(pull.needs)
  let found = gradients(
    of: (y * pull.gradient).sum(), withRespectTo: wanted.map { inputs[$0] }, holding: pull.gradient)
  return inputs.indices.map { index in wanted.firstIndex(of: index).map { found[$0] } }
}
