/// Lowers learning rates once a score has stopped getting better: PyTorch's `ReduceLROnPlateau`.
///
/// Whatever ranks see the same scores make the same of them. Its state goes into checkpoints.
public struct Plateau: Sendable {
  /// When the rates are lowered, and by how much.
  public struct Settings: Equatable, Sendable {
    /// How a score is compared with the best one.
    public enum ThresholdMode: String, Codable, CaseIterable, Sendable {
      /// The threshold is a share of the best score.
      case relative
      /// The threshold is a difference of scores.
      case absolute
    }

    /// What the rates are multiplied by.
    public var factor = 0.1
    /// Scores in a row that may be no better than the best; one more lowers the rates.
    public var patience = 10
    /// By how much a score has to be better to count.
    public var threshold = 1e-4
    public var thresholdMode = ThresholdMode.relative
    /// The rates' least share of what they were at first.
    public var minimum = 0.0
    /// Whether more is better.
    public var isHigherBetter = false

    public init() {}
  }

  /// What a checkpoint saves.
  public struct State: Codable, Equatable, Sendable {
    /// What the rates are multiplied by.
    public fileprivate(set) var factor = 1.0
    /// The best score so far; nil before the first.
    public fileprivate(set) var best: Double?
    /// Scores since then that were no better.
    public fileprivate(set) var waited = 0
    /// The step of the last score; 0 before the first.
    public fileprivate(set) var step = 0

    public init() {}
  }

  public let settings: Settings
  public private(set) var state: State

  public init(_ settings: Settings, continuing state: State = State()) {
    (self.settings, self.state) = (settings, state)
  }

  /// Takes up the score after a step; returns whether the rates are lower from now on.
  public mutating func observe(_ score: Double, step: Int) -> Bool {
    state.step = step
    guard !isBetter(score) else {
      (state.best, state.waited) = (score, 0)
      return false
    }
    state.waited += 1
    guard state.waited > settings.patience else { return false }
    state.waited = 0
    let lower = max(state.factor * settings.factor, settings.minimum)
    guard lower < state.factor else { return false }
    state.factor = lower
    return true
  }

  /// Better than the best by more than the threshold. A relative one is a share of the best score's
  /// size, so that scores below zero can stand still, too. PyTorch multiplies by 1 − threshold.
  private func isBetter(_ score: Double) -> Bool {
    guard let best = state.best else { return !score.isNaN }
    let margin =
      settings.thresholdMode == .relative
      ? abs(best) * settings.threshold
      : settings.threshold
    return settings.isHigherBetter ? score > best + margin : score < best - margin
  }
}
