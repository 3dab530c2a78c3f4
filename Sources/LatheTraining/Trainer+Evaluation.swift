import LatheDistributed
import SystemPackage

// Evaluation on validation images now and then, and the checkpoint that was best so far.
extension Trainer {
  /// An evaluation on validation images.
  public struct EvaluationRecord: Sendable {
    /// Steps made.
    public let step: Int
    public let evaluation: Evaluation
    /// Whether the leading score is lower than ever before in the run; then the model is kept in
    /// `best`.
    public let isBest: Bool
  }

  /// Evaluates the model with all ranks; rank 0 tells the outside and keeps the model if it is the
  /// best so far. Collective.
  func evaluate() throws {
    guard let schedule = evaluation else { return }
    try monitor.measure(.evaluation) {
      let evaluation = try runner.withAverage {
        try schedule.evaluator.evaluate(model, sampler: sampler())
      }
      let best = openedBest()
      try world.broadcast0 { [hooks, step] in
        guard let evaluation else { return }
        let isBest = try best.offer(evaluation, name: schedule.evaluator.leadingScore, step: step)
        try hooks.evaluated(EvaluationRecord(step: step, evaluation: evaluation, isBest: isBest))
      }
    }
  }
}
