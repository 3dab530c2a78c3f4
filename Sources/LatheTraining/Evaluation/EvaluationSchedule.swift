/// When and how a run evaluates the model while it trains.
public struct EvaluationSchedule {
  /// Steps between evaluations; the last step is evaluated as well.
  public let interval: Int
  /// What evaluates, on validation images: they are part of neither training nor test images.
  public let evaluator: Evaluator

  public init(every interval: Int, by evaluator: Evaluator) {
    self.interval = interval
    self.evaluator = evaluator
  }
}
