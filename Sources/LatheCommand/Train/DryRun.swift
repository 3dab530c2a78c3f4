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
    let rate = Double(run.batch.size) / forecast.secondsPerStep
    let step = "\(digits(forecast.secondsPerStep)), \(String(format: "%.1f", rate)) images/s"
    let lines = [
      ("memory", "\(mebibytes(peak)) a rank, \(counted(world.size, "rank"))"),
      ("a step", step + stages(of: forecast)),
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

  /// What a step takes in each stage, where there are several.
  private func stages(of forecast: Forecast) -> String {
    guard forecast.stages.count > 1 else { return "" }
    let each = forecast.stages.map { stage in
      "\(digits(stage.secondsPerStep)) to step \(grouped(stage.steps.upperBound))"
    }
    return " in the mean; " + each.joined(separator: ", ")
  }

  /// Seconds in three digits.
  private func digits(_ seconds: Double) -> String {
    seconds < 100 ? String(format: "%.3g s", seconds) : String(format: "%.0f s", seconds)
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
