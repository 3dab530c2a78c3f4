import LatheDistributed
import LatheModels

// What the trainer shows of the model: before the first step, now and then, and after the last.
extension Trainer {
  /// The most seconds that a preview may take: before the end of the run 5, at the end 10 or a
  /// tenth of the training, whichever is more. A fifth is spare, as speeds vary.
  private var previewSeconds: Double {
    isAtEnd ? Self.lastPreviewLimit(afterWork: workSeconds) : 0.8 * 5
  }

  private static func lastPreviewLimit(afterWork seconds: Double) -> Double {
    0.8 * max(10, seconds / 10)
  }

  /// What the preview after the last step will take, by those before it.
  func lastPreviewSeconds(afterWork seconds: Double) -> Double {
    let limit = Self.lastPreviewLimit(afterWork: seconds)
    let codes = min(train.count, fittedSamplerType?.mostCodes ?? 0)
    let fit = codePace.forecast(upTo: codes, within: evaluation == nil ? limit / 2 : nil)
    return fit + imagePace.forecast(upTo: test.count, within: limit - fit)
  }

  /// The sampler's type if it is one that is fitted.
  private var fittedSamplerType: (any FittedSampler.Type)? {
    type(of: model).fittedSampler(named: configuration.sampler)
  }
  /// The most test images that are reconstructed, and codes that a sampler is fitted to, before the
  /// end of the run.
  private static let previewLimits = (images: 2_000, codes: 10_000)
  /// The most test images before the first step, which is not to wait long.
  private static let firstPreviewLimit = 200

  private var isAtEnd: Bool { step == configuration.optimization.steps || isOver }

  /// Shows what the model makes of test images and of draws from the run's sampler. Collective.
  ///
  /// Where the time does not suffice, fewer images are reconstructed, and samplers are fitted to
  /// fewer codes.
  func preview() throws {
    try monitor.measure(.evaluation) { try runner.withAverage { try showPreview() } }
  }

  private func showPreview() throws {
    let start = ContinuousClock.now
    let seconds = previewSeconds
    let isAsked = isAtEnd && evaluation != nil
    // Half of the time for each: the estimate for a fit is a rough one.
    let fitted = try fittedSampler(until: isAsked ? nil : start + .seconds(seconds / 2))
    let most = step == 0 ? Self.firstPreviewLimit : Self.previewLimits.images
    let limit = isAtEnd ? test.count : min(test.count, most)
    let preview = try imagePace.run(upTo: limit, until: start + .seconds(seconds)) {
      try previewer.preview(model, fitted, step: step, isLast: isAtEnd, count: $0, progress: report)
    }
    try world.broadcast0 { [hooks] in try hooks.previewed(preview) }
  }

  /// Seconds that went into the steps of this process and what they needed.
  private var workSeconds: Double {
    monitor.seconds.reduce(0, +) - monitor.seconds[Activity.evaluation.rawValue]
  }

  /// The run's sampler, as an evaluation needs it. Collective.
  func sampler() throws -> Sampler { try fittedSampler(until: nil).sampler }

  /// The run's sampler; one that is fitted sees as many codes as fit into the time, and all of them
  /// at the end of the run without a limit. Then it is kept in the last checkpoint. Collective.
  private func fittedSampler(until end: ContinuousClock.Instant?) throws -> PreviewSampler {
    if let own = try model.sampler(named: configuration.sampler) {
      return PreviewSampler(sampler: own)
    }
    let type = fittedSamplerType!
    let all = min(train.count, type.mostCodes)
    let limit = isAtEnd ? all : min(all, Self.previewLimits.codes)
    var fitted = try lastFitted(to: limit) ?? fit(type, upTo: limit, until: end)
    if isAtEnd, fitted.count == all, !fitted.isKept {
      try keep(fitted.value)
      fitted.isKept = true
    }
    lastFitted = fitted
    return PreviewSampler(sampler: fitted.value.sampler, codes: (fitted.count, all))
  }

  /// The sampler that was fitted after this very step, to as many codes.
  private func lastFitted(to count: Int) -> StepSampler? {
    guard let lastFitted, lastFitted.step == step, lastFitted.count == count else { return nil }
    return lastFitted
  }

  private func fit(
    _ type: any FittedSampler.Type, upTo limit: Int, until end: ContinuousClock.Instant?
  ) throws -> StepSampler {
    try codePace.run(upTo: limit, until: end) { count in
      let fitter = SamplerFitter(
        model, images: train, seed: configuration.optimization.seed, on: world, progress: report)
      return StepSampler(step: step, count: count, value: try fitter.fit(type, limit: count))
    }
  }

  private func keep(_ fitted: any SavableSampler) throws {
    let checkpoints = openedCheckpoints()
    try world.broadcast0 {
      if let folder = checkpoints.lastSaved { try fitted.save(in: folder) }
    }
  }
}

/// A sampler that was fitted after a step.
struct StepSampler {
  let step: Int
  /// Codes that it was fitted to.
  let count: Int
  let value: any SavableSampler
  /// Whether the last checkpoint has it.
  var isKept = false
}

extension Communicator {
  /// Rank 0's number on all ranks. Collective.
  func broadcast(_ number: () throws -> Int) throws -> Int {
    Int(littleEndianBytes: try broadcast(from: 0) { try number().bytes })
  }
}
