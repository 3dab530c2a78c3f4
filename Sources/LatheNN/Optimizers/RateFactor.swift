import Foundation

/// What the learning rates of all phases are multiplied by: a warm-up, then one of the usual
/// schedules.
public struct RateFactor: Hashable, Sendable {
  /// The form of a schedule, by its progress u from 0 after the warm-up to 1 at the end.
  public enum Shape: String, Codable, CaseIterable, Sendable {
    /// 1.
    case constant
    /// ½ (1 + cos π u). Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.
    case cosine
    /// 1 − u.
    case linear
    /// A tenth from u = ½ on, a hundredth from u = ¾ on. He et al., "Deep Residual Learning for
    /// Image Recognition", CVPR 2016, Section 4.2, on CIFAR-10.
    case step
    /// 1, times what a ``Plateau`` makes of the run's scores.
    case plateau
  }

  private let shape: Shape
  private let warmUp, steps: Int

  /// Grows from 1 / `warmUp` to 1 over the first `warmUp` steps (Goyal et al., "Accurate, Large
  /// Minibatch SGD", 2017), then follows the shape up to step `steps` and stays as it is there.
  public init(_ shape: Shape = .constant, warmUp: Int = 0, over steps: Int = 0) {
    (self.shape, self.warmUp, self.steps) = (shape, warmUp, steps)
  }

  /// The factor of a step, counted from 0.
  public func callAsFunction(_ step: Int) -> Float {
    if step < warmUp { return Float(step + 1) / Float(warmUp) }
    let u = min(1, Double(step - warmUp) / Double(max(1, steps - warmUp)))
    switch shape {
    case .constant, .plateau: return 1
    case .cosine: return Float(0.5 * (1 + cos(.pi * u)))
    case .linear: return Float(1 - u)
    case .step: return u < 0.5 ? 1 : u < 0.75 ? 0.1 : 0.01
    }
  }
}
