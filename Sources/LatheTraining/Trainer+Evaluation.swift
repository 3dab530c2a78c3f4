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
      let (best, none) = (openedBest(), -1)
      let found = try world.broadcast { [hooks, step] in
        guard let evaluation, let best else { return none }
        let isBest = try best.offer(evaluation, step: step)
        try hooks.evaluated(EvaluationRecord(step: step, evaluation: evaluation, isBest: isBest))
        return schedule.isExhausted(after: step, best: best.step) ? best.step ?? none : none
      }
      return found == none ? nil : found
    }
  }
}
