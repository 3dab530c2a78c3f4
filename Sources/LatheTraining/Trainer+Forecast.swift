import LatheDistributed
import LatheTensors

/// What a run will take, measured on some of its steps.
public struct Forecast: Sendable {
  /// Seconds of a step, once memory is warm.
  public let secondsPerStep: Double
  /// Seconds of a preview.
  public let secondsPerPreview: Double
  /// Bytes of a checkpoint.
  public let checkpointBytes: Int
}

extension Trainer {
  /// Does what comes before the first step, and some steps, and tells no one; nothing is written.
  /// Training cannot go on afterwards. Collective.
  ///
  /// Concretely, one step that is not counted, then steps for three seconds, one at least.
  public func forecast() throws -> Forecast {
    monitor.begin()
    openedCheckpoints().takeMemory()
    let hooks = self.hooks
    self.hooks.previewed = { _ in }
    let start = ContinuousClock.now
    try preview()
    let previewSeconds = (ContinuousClock.now - start).seconds
    self.hooks = hooks
    _ = try timedStep()
    var times: [Double] = []
    while try world.broadcast({ times.reduce(0, +) < 3 ? 1 : 0 }) == 1 {
      times.append(try timedStep())
    }
    return Forecast(
      secondsPerStep: times.sorted()[times.count / 2], secondsPerPreview: previewSeconds,
      checkpointBytes: openedCheckpoints().byteCount)
  }

  private func timedStep() throws -> Double {
    let start = ContinuousClock.now
    report("measuring steps", step, 0)
    _ = try makeStep()
    step += 1
    return (ContinuousClock.now - start).seconds
  }
}
