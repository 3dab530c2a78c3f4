import LatheTensors

/// How a parameter or buffer is filled when it is created.
public enum Initializer: Hashable, Sendable {
  case zeros, ones
  /// Uniform in ±limit.
  case uniform(Float)
  /// Uniform between two numbers.
  case between(Float, Float)
  /// Normal with mean and standard deviation.
  case normal(mean: Float = 0, standardDeviation: Float)
  /// Normal, drawn again beyond two standard deviations, as TensorFlow's `truncated_normal`.
  case truncatedNormal(standardDeviation: Float)
  /// Uniform in ±√(6 / (fan in + fan out)). Glorot and Bengio, AISTATS 2010, Eq. 16.
  case glorotUniform
  /// Truncated normal with standard deviation √(2 / (fan in + fan out)) after truncation, as Keras
  /// has it.
  case glorotNormal

  /// Draws a tensor of `shape` from `random`.
  func draw(_ shape: Shape, from random: RandomSource) -> Tensor {
    switch self {
    case .zeros: Tensor(filledWith: 0, shape: shape)
    case .ones: Tensor(filledWith: 1, shape: shape)
    case .uniform(let limit): (random.uniform("value", shape) * 2 - 1) * limit
    case .between(let low, let high): random.uniform("value", shape) * (high - low) + low
    case .normal(let mean, let standardDeviation):
      random.normal("value", shape) * standardDeviation + mean
    case .truncatedNormal(let standardDeviation):
      random.truncatedNormal("value", shape) * standardDeviation
    case .glorotUniform: (random.uniform("value", shape) * 2 - 1) * (6 / shape.fans).squareRoot()
    case .glorotNormal:
      random.truncatedNormal("value", shape)
        * ((2 / shape.fans).squareRoot() / Self.truncatedDeviation)
    }
  }

  /// Standard deviation of a standard normal number truncated at ±2.
  private static let truncatedDeviation: Float = 0.879_625_66
}

extension Shape {
  /// Fan in plus fan out: of `[in, out]`, `[height, width, in, out]`, and n + n of a vector of n,
  /// as TensorFlow counts.
  fileprivate var fans: Float {
    if rank < 2 { return Float(2 * count) }
    return Float(sizes.dropLast(2).reduce(1, *) * (self[-1] + self[-2]))
  }
}
