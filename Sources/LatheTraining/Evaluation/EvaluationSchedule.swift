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
  /// The score that the schedule `plateau` watches; nil for the loss on the validation images, or
  /// the reconstruction error of models without a loss of their own.
  public let watched: LeadingScore?

  public init(
    every interval: Int, by evaluator: Evaluator, comparing leading: LeadingScore,
    patience: Int? = nil, watching watched: LeadingScore? = nil
  ) {
    (self.interval, self.evaluator) = (interval, evaluator)
    (self.leading, self.patience, self.watched) = (leading, patience, watched)
  }

  /// The value of the score that is watched.
  ///
  /// - Throws: `TrainingError.noScore` where it could not be computed.
  func watchedValue(of evaluation: Evaluation) throws(TrainingError) -> Double {
    let names = watched.map { [$0.name] } ?? ["loss", "reconstruction/error"]
    guard let value = names.lazy.compactMap({ evaluation[$0] }).first else {
      throw .noScore(names[0], reasons: evaluation.leftOut.map(\.reason))
    }
    return value
  }

  /// Whether a run whose best step was `best` has waited too long after `step` steps.
  func isExhausted(after step: Int, best: Int?) -> Bool {
    guard let patience, let best else { return false }
    return (step - best) / interval >= patience
  }
}
