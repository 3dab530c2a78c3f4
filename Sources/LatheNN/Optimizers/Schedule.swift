import LatheFiles
import Foundation
import LatheTensors

/// A learning rate as a function of the step.
public struct Schedule: Hashable, Sendable, ExpressibleByFloatLiteral {
  /// The rate at step 0.
  public let initial: Float
  private let decay: Decay

  private enum Decay: Hashable, Sendable {
    case none
    case halved(every: Int, start: Int)
    case at([Int: Float])
    case exponential(total: Float, steps: Int)
  }

  private init(_ initial: Float, _ decay: Decay) {
    self.initial = initial
    self.decay = decay
  }

  public init(floatLiteral value: Double) { self = .constant(Float(value)) }

  /// The same rate at every step.
  public static func constant(_ rate: Float) -> Schedule { Schedule(rate, .none) }

  /// Step decay: halved after every `steps` steps, counted from step `start`, or never when `steps`
  /// is 0.
  public static func stepDecay(_ rate: Float, every steps: Int, from start: Int = 0) -> Schedule {
    guard steps > 0 else { return .constant(rate) }
    return Schedule(rate, .halved(every: steps, start: start))
  }

  /// Multiplied by a milestone's factor from its step on.
  public static func milestones(_ rate: Float, _ factors: [Int: Float]) -> Schedule {
    Schedule(rate, .at(factors))
  }

  /// Exponential decay: falls by the same factor at every step, to `total` of the initial rate
  /// after `steps`.
  public static func exponentialDecay(_ rate: Float, total: Float, over steps: Int) -> Schedule {
    require(steps > 0, "Schedule: a decay over \(steps) steps")
    return Schedule(rate, .exponential(total: total, steps: steps))
  }

  /// The rate at a step.
  public func callAsFunction(_ step: Int) -> Float {
    switch decay {
    case .none: initial
    case .halved(let steps, let start):
      initial * pow(0.5, Float(max(0, step - start) / steps))
    case .at(let factors):
      factors.sorted { $0.key < $1.key }.reduce(initial) { $1.key <= step ? $0 * $1.value : $0 }
    case .exponential(let total, let steps): initial * pow(total, Float(step) / Float(steps))
    }
  }
}
