import LatheModels

// How the trainer comes by the images that it shows.
extension Trainer {
  /// The most codes that a sampler is fitted to before the end of the run.
  private static let codesForPreview = 10_000

  /// The run's sampler. One that is fitted sees all training images at the end of the run, and is
  /// kept in the last checkpoint. Collective.
  func sampler() throws -> Sampler {
    if let own = try model.sampler(named: configuration.sampler) { return own }
    let isLast = step == configuration.optimization.steps
    let fitter = SamplerFitter(
      model, images: train, seed: configuration.optimization.seed, on: world,
      progress: report)
    let fitted = try fitter.fit(
      type(of: model).fittedSampler(named: configuration.sampler)!,
      limit: isLast ? .max : Trainer.codesForPreview)
    if isLast { try keep(fitted) }
    return fitted.sampler
  }

  private func keep(_ fitted: any FittedSampler) throws {
    let checkpoints = openedCheckpoints()
    try world.broadcast0 {
      if let folder = checkpoints.lastSaved { try fitted.save(in: folder) }
    }
  }
}
