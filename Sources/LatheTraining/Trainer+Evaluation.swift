import LatheDistributed
import SystemPackage

// Evaluation on validation images now and then, and the checkpoint that was best so far.
extension Trainer {
  /// An evaluation on validation images.
  public struct EvaluationRecord: Sendable {
    /// Steps made.
    public let step: Int
    public let evaluation: Evaluation
    /// Whether the leading score is better than ever before in the run; then the model is kept in
    /// `best`.
    public let isBest: Bool
    /// What the schedule `plateau` multiplies learning rates by from now on, where it has just
    /// lowered them.
    public let lowerRates: Double?
  }

  /// Evaluates the model with all ranks; rank 0 tells the outside and keeps the model if it is the
  /// best so far. Returns the step of the best model if it has been waited for long enough, else
  /// nil. Collective.
  func evaluate() throws -> Int? {
    guard let schedule = evaluation else { return nil }
    return try monitor.measure(.evaluation) {
      let evaluation = try runner.withAverage {
        try schedule.evaluator.evaluate(model, sampler: sampler())
      }
      let lowerRates = try lowerRates(after: evaluation)
      let (best, none) = (openedBest(), -1)
      let found = try world.broadcast { [hooks, step] in
        guard let evaluation, let best else { return none }
        let isBest = try best.offer(evaluation, step: step)
        try hooks.evaluated(
          EvaluationRecord(
            step: step, evaluation: evaluation, isBest: isBest, lowerRates: lowerRates))
        return schedule.isExhausted(after: step, best: best.step) ? best.step ?? none : none
      }
      return found == none ? nil : found
    }
  }

  /// Shows the score to the schedule `plateau`, on all ranks; what it multiplies learning rates by
  /// if that has changed. Collective.
  private func lowerRates(after evaluation: Evaluation?) throws -> Double? {
    guard plateau != nil, let schedule = self.evaluation else { return nil }
    let bits = try world.broadcast {
      guard let evaluation else { return 0 }
      return Int(bitPattern: UInt(try schedule.watchedValue(of: evaluation).bitPattern))
    }
    let score = Double(bitPattern: UInt64(UInt(bitPattern: bits)))
    return plateau?.observe(score, step: step) == true ? plateau?.state.factor : nil
  }

  /// Evaluates a run that goes on from a checkpoint which does not know the evaluation of its own
  /// step, because it was saved before: the learning rates depend on it. The outcome as of
  /// `evaluate`.
  func makeUpForEvaluation() throws -> Int? {
    guard let plateau, step > plateau.state.step, step.isDue(every: evaluation?.interval ?? 0)
    else { return nil }
    return try evaluate()
  }
}
