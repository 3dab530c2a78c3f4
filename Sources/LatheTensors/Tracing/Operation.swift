import LatheKernels

/// What an operation computes of its inputs, with its attributes: enough to say it in the words of
/// another program.
///
/// Axes are those of the tensors in memory: images `[N, H, W, C]`.
public enum Operation: Equatable, Sendable {
  /// A function of each element.
  case unary(Unary)
  /// Of two inputs, element by element, axes of size 1 repeated.
  case binary(Binary)
  /// scale · x + offset.
  case affine(scale: Float, offset: Float)
  /// x where positive, slope · x elsewhere.
  case leakyRelu(slope: Float)
  /// The nearest value between two numbers.
  case clamp(from: Float, to: Float)
  /// op(a) · op(b), where op transposes when asked.
  case matmul(transposeFirst: Bool, transposeSecond: Bool)
  /// Images and weight.
  case conv2d(ConvolutionGeometry)
  /// Images of the geometry's output and weight.
  case convTranspose2d(ConvolutionGeometry)
  /// x and a bias of its last axis, then ReLU if asked.
  case addBias(relu: Bool)
  /// x, γ, β, mean, variance: γ (x − mean) / √(variance + ε) + β over the last axis, then ReLU if
  /// asked.
  case normalization(epsilon: Float, relu: Bool)
  /// A weight divided by an estimate of its largest singular value, and the left vector that the
  /// power iteration starts from.
  case spectralNormalization
  /// Over the axes, which stay with size 1.
  case sum(axes: [Int])
  case max(axes: [Int])
  /// To the shape of the output.
  case reshape
  /// Axis k of the output is axis `permutation[k]`.
  case transpose([Int])
  case slice(Range<Int>, axis: Int)
  /// Zeros along an axis.
  case pad(axis: Int, before: Int, after: Int)
  /// Rows of axis 0.
  case gather([Int])
  case concatenate(axis: Int)
  /// One that has no other words: part of a gradient, of training alone, or a program's own.
  case other(String)
}
