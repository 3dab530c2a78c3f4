/// What a rank is doing, from the start of a run to its end.
public enum Activity: Int, CaseIterable, Sendable {
  /// Building the model, comparing notes, loading a checkpoint.
  case starting
  /// Fetching the images of a batch.
  case data
  /// Losses and their gradients.
  case compute
  /// Waiting in a collective for the other ranks.
  case waiting
  /// Summing gradients over slices and ranks.
  case reduction
  /// Updating the parameters.
  case optimizer
  /// Copying or waiting for a checkpoint.
  case checkpoint
  /// Previewing and evaluating the model.
  case evaluation
  /// All else between steps: logging and the agreement on whether to go on.
  case other

  /// The name in `metrics.jsonl`, in the table and in the timeline.
  public var name: String {
    switch self {
    case .starting: "starting"
    case .data: "data"
    case .compute: "forward/backward"
    case .waiting: "waiting"
    case .reduction: "reduction"
    case .optimizer: "optimizer"
    case .checkpoint: "checkpoint"
    case .evaluation: "evaluation"
    case .other: "other"
    }
  }

  /// What the rank is doing, for a report to people.
  var description: String {
    switch self {
    case .starting: "starting"
    case .data: "reading images"
    case .compute: "in the forward or backward pass"
    case .waiting: "waiting for other ranks"
    case .reduction: "summing gradients"
    case .optimizer: "updating parameters"
    case .checkpoint: "saving a checkpoint"
    case .evaluation: "evaluating or previewing the model"
    case .other: "between two steps"
    }
  }
}
