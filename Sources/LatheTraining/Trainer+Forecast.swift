import LatheDistributed
import LatheTensors

/// What a run will take, measured on some of its steps, previews and evaluations.
public struct Forecast: Sendable {
  /// Steps, with their images and copies for checkpoints; previews; evaluations.
  public let steps, previews, evaluations: Part
  /// Seconds of a step, once memory is warm, in each part of the run in which steps are alike.
  public let stages: [Stage]
  /// Bytes of a checkpoint.
  public let checkpointBytes: Int

  /// Something that the run does so many times, and all its seconds together.
  public struct Part: Sendable {
    public let count: Int
    public let seconds: Double
  }

  /// Steps of the run, counted from 0, in which the same phases run.
  public struct Stage: Sendable {
    public let steps: Range<Int>
    public let secondsPerStep: Double
    var seconds: Double { Double(steps.count) * secondsPerStep }
  }

  /// Seconds of a step in the mean over the run.
  public var secondsPerStep: Double { stages.seconds / Double(steps.count) }

  /// Seconds of the whole run, after its start.
  public var seconds: Double { steps.seconds + previews.seconds + evaluations.seconds }
}

extension Trainer {
  /// Does what comes before the first step, and some steps, and tells no one; nothing is written.
  /// Training cannot go on afterwards. Collective.
  ///
  /// Concretely, a preview; in each stage of the run one step that is not counted, then steps for
  /// five seconds and three at least; another preview, and evaluations on so many samples as take
  /// some seconds.
  public func forecast() throws -> Forecast {
    monitor.begin()
    let checkpoints = openedCheckpoints()
    // The first copy, which takes the memory, is not counted.
    if world.rank == 0 { checkpoints.copy() }
    hooks.previewed = { _ in }
    let firstPreview = try seconds { try preview() }
    let all = configuration.optimization.steps
    let stages = try runner.stages(of: all).map(measured)
    // After the run's last step a preview takes longer.
    if step == all { jump(to: all - 1) }
    let laterPreview = try seconds { try preview() }
    let evaluations = try forecastEvaluations()
    let copying = try seconds { if world.rank == 0 { checkpoints.copy() } }
    let steps =
      stages.seconds + copying * Double(all.count(every: configuration.output.checkpointEvery))
    return Forecast(
      steps: Forecast.Part(count: all, seconds: steps),
      previews: forecastPreviews(first: firstPreview, later: laterPreview, work: steps),
      evaluations: evaluations, stages: stages,
      checkpointBytes: checkpoints.byteCount)
  }

  /// The median of some steps of a stage, over and over where it is short.
  private func measured(_ stage: Range<Int>) throws -> Forecast.Stage {
    jump(to: stage.lowerBound)
    _ = try timedStep()
    var times: [Double] = []
    while try world.broadcast({ times.count < 3 || times.reduce(0, +) < 5 ? 1 : 0 }) == 1 {
      if step == stage.upperBound { jump(to: stage.lowerBound) }
      times.append(try timedStep())
    }
    return Forecast.Stage(steps: stage, secondsPerStep: times.sorted()[times.count / 2])
  }

  private func timedStep() throws -> Double {
    try seconds {
      report("measuring steps", 0, 0)
      _ = try makeStep()
      step += 1
    }
  }

  private func seconds(_ body: () throws -> Void) throws -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).seconds
  }

  /// Those before the first step, at intervals, and after the last step.
  private func forecastPreviews(first: Double, later: Double, work: Double) -> Forecast.Part {
    let (steps, interval) = (configuration.optimization.steps, configuration.output.previewEvery)
    let between = interval > 0 ? (steps - 1) / interval : 0
    return Forecast.Part(
      count: between + 2,
      seconds: first + Double(between) * later + lastPreviewSeconds(afterWork: work))
  }

  /// The first one has the features of the reference images to extract.
  private func forecastEvaluations() throws -> Forecast.Part {
    guard let schedule = evaluation else { return Forecast.Part(count: 0, seconds: 0) }
    let all = schedule.evaluator.settings.samples
    let trial = min(all, 200)
    let trialSeconds = try seconds(ofEvaluationOn: schedule.evaluator.sampling(trial))
    let fitting = Int(10 / trialSeconds * Double(trial))
    let count = try world.broadcast { min(all, max(trial, fitting)) }
    let evaluator = schedule.evaluator.sampling(count)
    let scale = Double(all) / Double(count)
    let first = scale * (try seconds(ofEvaluationOn: evaluator))
    let later = scale * (try seconds(ofEvaluationOn: evaluator))
    let times = configuration.optimization.steps.count(every: schedule.interval)
    if world.rank == 0 { _ = openedBest()?.copies }
    return Forecast.Part(count: times, seconds: first + Double(times - 1) * later)
  }

  private func seconds(ofEvaluationOn evaluator: Evaluator) throws -> Double {
    // The sampler of a preview is not fitted again for the evaluation of the same step.
    lastFitted = nil
    return try seconds {
      _ = try runner.withAverage { try evaluator.evaluate(model, sampler: sampler()) }
    }
  }
}

extension [Forecast.Stage] {
  fileprivate var seconds: Double { reduce(0) { $0 + $1.seconds } }
}

extension Int {
  /// How many of steps 1 … self complete an interval or are the last.
  fileprivate func count(every interval: Int) -> Int {
    interval > 0 ? (self + interval - 1) / interval : 1
  }
}
