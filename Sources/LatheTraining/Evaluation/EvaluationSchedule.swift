/// When and how a run evaluates the model while it trains.
public struct EvaluationSchedule {
  /// Steps between evaluations; the last step is evaluated as well.
  public let interval: Int
  /// What evaluates, on validation images: they are part of neither training nor test images.
  public let evaluator: Evaluator
  /// The score by which checkpoints are compared.
  public let leading: LeadingScore
  /// Evaluations without a better one after which the run ends; nil for never.
  public let patience: Int?

  public init(
    every interval: Int, by evaluator: Evaluator, comparing leading: LeadingScore,
    patience: Int? = nil
  ) {
    (self.interval, self.evaluator) = (interval, evaluator)
    (self.leading, self.patience) = (leading, patience)
  }

  /// Whether a run whose best step was `best` has waited too long after `step` steps.
  func isExhausted(after step: Int, best: Int?) -> Bool {
    guard let patience, let best else { return false }
    return (step - best) / interval >= patience
  }
}
