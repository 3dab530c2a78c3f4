import Foundation
import LatheKernels

/// How a parameter is updated along its gradient.
public enum OptimizerRule: Hashable, Sendable {
  /// Kingma and Ba, "Adam", ICLR 2015, with the step written as in the text before Section 2.1.
  ///
  /// Concretely, p −= rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).
  case adam(Schedule, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
  /// TensorFlow 1's RMSProp: ε inside the root, the mean square starts at 1.
  ///
  /// Concretely, s = ρ s + (1 − ρ) g²; b = momentum · b + rate · g / √(s + ε); p −= b.
  case rmsProp(Schedule, decay: Float = 0.9, momentum: Float = 0, epsilon: Float = 1e-10)
  /// Gradient descent, v = momentum · v + g; p −= rate · v, or rate · (g + momentum · v) with
  /// Nesterov's.
  case sgd(Schedule, momentum: Float = 0, nesterov: Bool = false)

  /// A flat buffer that the rule keeps: its name in checkpoints and its first value.
  struct Slot {
    let name: String
    let initial: Float
  }

  var slots: [Slot] {
    switch self {
    case .adam: [Slot(name: "moment1", initial: 0), Slot(name: "moment2", initial: 0)]
    case .rmsProp(_, _, let momentum, _):
      [Slot(name: "mean_square", initial: 1)]
        + (momentum == 0 ? [] : [Slot(name: "momentum", initial: 0)])
    case .sgd(_, let momentum, _): momentum == 0 ? [] : [Slot(name: "velocity", initial: 0)]
    }
  }

  /// The learning rate at a step.
  public func rate(_ step: Int) -> Float {
    switch self {
    case .adam(let rate, _, _, _), .rmsProp(let rate, _, _, _), .sgd(let rate, _, _): rate(step)
    }
  }

  /// Updates `count` values with a learning rate; returns 0, or NaN when a gradient was not finite.
  ///
  /// `update` counts from 1; gradients are multiplied by `scale` first.
  func update(
    _ values: MutableFloats, along gradients: Floats, _ state: [MutableFloats], count: Int,
    rate: Float, update: Int, scale: Float
  ) -> Float {
    switch self {
    case .adam(_, let beta1, let beta2, let epsilon):
      let correction =
        (1 - pow(Double(beta2), Double(update))).squareRoot()
        / (1 - pow(Double(beta1), Double(update)))
      return LatheKernels.adam(
        values, gradients, state[0], state[1], count: count,
        learningRate: Float(Double(rate) * correction), beta1: beta1, beta2: beta2,
        epsilon: epsilon, gradientScale: scale)
    case .rmsProp(_, let decay, let momentum, let epsilon):
      return LatheKernels.rmsProp(
        values, gradients, state[0], momentum == 0 ? nil : state[1], count: count,
        learningRate: rate, decay: decay, momentumFactor: momentum, epsilon: epsilon,
        gradientScale: scale)
    case .sgd(_, let momentum, let nesterov):
      return LatheKernels.momentumDescent(
        values, gradients, state.first, count: count, learningRate: rate, momentum: momentum,
        nesterov: nesterov, gradientScale: scale)
    }
  }
}
