import Foundation
import LatheDistributed
import LatheTraining

/// `train --dry-run`: what a run will take in memory, time and on the disk.
struct DryRun {
  let trainer: Trainer
  let world: Communicator

  /// Collective.
  func run() throws {
    let progress = TaskProgress(after: 2)
    trainer.hooks.working = progress.show
    let forecast = try trainer.forecast()
    let peak = try world.allReduce([ProcessUsage.now.peakMebibytes], .maximum)[0] * 1_048_576
    try trainer.finish()
    progress.finish()
    if world.rank == 0 { report(forecast, peak: peak) }
  }

  private func report(_ forecast: Forecast, peak: Double) {
    let run = trainer.configuration
    let (steps, output) = (run.optimization.steps, run.output)
    let every =
      output.checkpointEvery > 0 ? (steps + output.checkpointEvery - 1) / output.checkpointEvery : 1
    let kept = min(every, output.keep) + (output.keepEvery > 0 ? steps / output.keepEvery : 0)
    let step = String(format: "%.3f s", forecast.secondsPerStep)
    let rate = Double(run.batch.size) / forecast.secondsPerStep
    let lines = [
      ("memory", "\(mebibytes(peak)) a rank, \(counted(world.size, "rank"))"),
      ("a step", "\(step), \(String(format: "%.1f", rate)) images/s"),
      ("the run", "\(spell(seconds: forecast.seconds)): \(parts(of: forecast))"),
      (
        "checkpoints",
        "\(mebibytes(Double(forecast.checkpointBytes))) each, "
          + "\(mebibytes(Double(forecast.checkpointBytes * kept))) in all at the end"
      ),
    ]
    print("dry run: nothing was written")
    for (name, text) in lines { print(listed(name, text, column: 17)) }
  }

  /// What the run's time goes into.
  private func parts(of forecast: Forecast) -> String {
    let parts = [
      (forecast.steps, "step"), (forecast.previews, "preview"),
      (forecast.evaluations, "evaluation"),
    ]
    return parts.filter { $0.0.count > 0 }.map { part, noun in
      "\(spell(seconds: part.seconds)) for \(counted(part.count, noun))"
    }.joined(separator: ", ")
  }

  private func mebibytes(_ bytes: Double) -> String {
    bytes < 10 * 1_048_576
      ? String(format: "%.1f MiB", bytes / 1_048_576)
      : "\(grouped(Int((bytes / 1_048_576).rounded()))) MiB"
  }
}
