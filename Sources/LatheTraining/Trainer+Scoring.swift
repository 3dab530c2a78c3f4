import LatheDistributed
import SystemPackage

// What the ranks measure together now and then, and the checkpoint that was best so far.
extension Trainer {
  /// A measurement on validation images.
  public struct ScoreRecord: Sendable {
    /// Steps made.
    public let step: Int
    public let card: ScoreCard
    /// Whether the leading score is lower than ever before in the run; then the model is kept in `best`.
    public let isBest: Bool
  }

  /// Measures the model with all ranks; rank 0 tells the outside and keeps the model if it is the best so far.
  func score() throws {
    guard let scoring else { return }
    try monitor.measure(.evaluation) {
      let card = try scoring.scorer.scores(of: model, sampler: sampler())
      let best = openedBest()
      try world.broadcast0 { [hooks, step] in
        guard let card else { return }
        let isBest = try best.offer(card, name: scoring.scorer.leadingScore, step: step)
        try hooks.scored(ScoreRecord(step: step, card: card, isBest: isBest))
      }
    }
  }
}
