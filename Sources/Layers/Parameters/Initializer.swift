import Tensors

/// How a parameter or buffer is filled when it is created.
public enum Initializer: Hashable, Sendable {
  case zeros, ones
  /// Uniform in ±limit.
  case uniform(Float)
  /// Normal with mean and standard deviation.
  case normal(mean: Float = 0, deviation: Float)
  /// Normal, drawn again beyond two standard deviations, as TensorFlow's `truncated_normal`.
  case truncatedNormal(deviation: Float)
  /// Uniform in ±√(6 / (fan in + fan out)). Glorot and Bengio, AISTATS 2010, Eq. 16.
  case glorotUniform
  /// Truncated normal with standard deviation √(2 / (fan in + fan out)) after truncation, as Keras has it.
  case glorotNormal

  /// Draws a tensor of `shape` from `random`.
  func draw(_ shape: Shape, from random: RandomSource) -> Tensor {
    switch self {
    case .zeros: Tensor(filledWith: 0, shape: shape)
    case .ones: Tensor(filledWith: 1, shape: shape)
    case .uniform(let limit): (random.uniform("value", shape) * 2 - 1) * limit
    case .normal(let mean, let deviation): random.normal("value", shape) * deviation + mean
    case .truncatedNormal(let deviation): truncated(shape, random) * deviation
    case .glorotUniform: (random.uniform("value", shape) * 2 - 1) * (6 / shape.fans).squareRoot()
    case .glorotNormal:
      truncated(shape, random) * ((2 / shape.fans).squareRoot() / Self.truncatedDeviation)
    }
  }

  /// Standard deviation of a standard normal number truncated at ±2.
  private static let truncatedDeviation: Float = 0.879_625_66

  private func truncated(_ shape: Shape, _ random: RandomSource) -> Tensor {
    var values = random.normal("value", shape).values
    var round = 1
    while true {
      let outside = values.indices.filter { values[$0].magnitude > 2 }
      guard !outside.isEmpty else { return Tensor(values, shape: shape) }
      let again = random.derived(round).normal("value", [outside.count]).values
      for (index, value) in zip(outside, again) { values[index] = value }
      round += 1
    }
  }
}

extension Shape {
  /// Fan in plus fan out: of `[in, out]`, `[height, width, in, out]`, and n + n of a vector of n, as TensorFlow counts.
  fileprivate var fans: Float {
    if rank < 2 { return Float(2 * count) }
    return Float(sizes.dropLast(2).reduce(1, *) * (self[-1] + self[-2]))
  }
}
