import LatheTensors

/// Batch normalisation over all axes but the last. Ioffe and Szegedy, "Batch Normalization", 2015,
/// Algorithm 1.
///
/// The batch is a slice, or all slices with ``SynchronizedStatistics``.
public struct BatchNorm {
  /// The constants in which the libraries differ.
  public struct Convention: Hashable, Sendable {
    /// Share of the old running statistics in an update.
    public var momentum: Double
    /// Added to the variance.
    public var epsilon: Float
    /// Whether the running variance is that of a sample (divided by one less than the number of
    /// elements).
    public var isUnbiased: Bool

    public init(momentum: Double, epsilon: Float, isUnbiased: Bool) {
      self.momentum = momentum
      self.epsilon = epsilon
      self.isUnbiased = isUnbiased
    }

    /// TensorFlow 1 `layers.batch_normalization`: momentum 0.99, ε 10⁻³.
    public static let tensorFlow = Convention(momentum: 0.99, epsilon: 1e-3, isUnbiased: false)
    /// Keras 2: momentum 0.99, ε 10⁻³.
    public static let keras = tensorFlow
    /// PyTorch: momentum 0.9 (which it calls 0.1), ε 10⁻⁵, unbiased running variance.
    public static let pyTorch = Convention(momentum: 0.9, epsilon: 1e-5, isUnbiased: true)
  }

  /// Scale and shift, `[channels]`.
  public let gamma, beta: Parameter
  /// Running statistics, `[channels]`.
  public let runningMean, runningVariance: Buffer
  /// The share that the first values, zeros, still have in the running statistics, `[1]`.
  public let biasCorrection: Buffer
  private let convention: Convention

  /// Shapes: `[N, …, channels]` → the same.
  public init(_ scope: Scope, channels: Int, convention: Convention) {
    gamma = scope.parameter("gamma", [channels], .ones)
    beta = scope.parameter("beta", [channels], .zeros)
    runningMean = scope.buffer("running_mean", [channels], .zeros, momentum: convention.momentum)
    runningVariance = scope.buffer("running_var", [channels], .zeros, momentum: convention.momentum)
    biasCorrection = scope.buffer("starting_share", [1], .ones, momentum: convention.momentum)
    self.convention = convention
  }

  /// Normalises, scales and shifts `x`, and cuts off below zero if `relu`.
  public func callAsFunction(_ x: Tensor, mode: Mode, relu: Bool = false) -> Tensor {
    if mode == .inference {
      let (mean, variance) = statistics
      return normalization(
        x, gamma: gamma.value, beta: beta.value, mean: mean, variance: variance,
        epsilon: convention.epsilon, relu: relu)
    }
    let result = batchNormalization(
      x, gamma: gamma.value, beta: beta.value, epsilon: convention.epsilon, relu: relu)
    let slices = SynchronizedStatistics.collectives?.slices ?? 1
    if mode == .training { track(result, elements: slices * x.shape.count / x.shape[-1]) }
    return result.output
  }

  private func track(_ result: BatchNormalized, elements: Int) {
    runningMean.noteUpdate(result.mean)
    let correction = Float(elements) / Float(max(elements - 1, 1))
    runningVariance.noteUpdate(
      convention.isUnbiased ? result.variance * correction : result.variance)
    biasCorrection.noteUpdate(Tensor(filledWith: 0, shape: [1]))
  }

  private var statistics: (mean: Tensor, variance: Tensor) {
    Self.corrected(
      mean: runningMean.value, variance: runningVariance.value, share: biasCorrection.value)
  }

  /// The running statistics without the share of their first values, as Adam corrects its moments:
  /// a network can be looked at after its first steps already. Once that share has vanished they
  /// are the running statistics themselves. Before any step they are 0 and 1.
  static func corrected(
    mean: Tensor, variance: Tensor, share: Tensor
  ) -> (mean: Tensor, variance: Tensor) {
    guard share.scalar < 1 else { return (mean, variance + 1) }
    return (mean / (1 - share), variance / (1 - share))
  }
}
