import ArgumentParser
import LatheDistributed
import LatheData
import LatheModels
import SystemPackage
import LatheTraining

extension Sampler.Name: ExpressibleByArgument {
  public init?(argument: String) {
    if let name = Sampler.Name.currentName(of: argument) {
      noteRenamed("sampler \(argument)", to: name)
    }
    self.init(rawValue: argument)
  }
}

extension SavedRun {
  /// The sampler asked for, else the run's own; one that is fitted comes from beside the
  /// checkpoint, or is fitted to the codes of the training images, by all ranks of a launcher, and
  /// kept there.
  func sampler(_ asked: Sampler.Name?, data: String?) throws -> Sampler {
    if let ready = try readySampler(asked) { return ready }
    let world = try RankedJob.startUnderLauncher()
    let progress = TaskProgress()
    defer { progress.finish() }
    return try failing { try fittedSampler(asked, data: data, on: world, progress: progress) }
  }

  /// The same where MPI runs already. Collective.
  func sampler(
    _ asked: Sampler.Name?, data: String?, on world: Communicator, progress: TaskProgress
  ) throws -> Sampler {
    let ready = try readySampler(asked)
    // A file that one rank has just written must not keep another from a collective call.
    let isReady = try world.allReduceFlags(or: ready == nil ? 1 : 0) == 0
    if isReady, let ready { return ready }
    return try fittedSampler(asked, data: data, on: world, progress: progress)
  }

  /// One that needs no fitting; nil if the sampler must be fitted.
  private func readySampler(_ asked: Sampler.Name?) throws -> Sampler? {
    let name = try asked ?? recordedSampler
    do {
      if let own = try loaded.model.sampler(named: name) { return own }
    } catch { throw CommandFailure.usage("\(error)") }
    // What is kept belongs to the average.
    if isRaw { return nil }
    return try failing { try name.saved(in: checkpoint, for: loaded)?.sampler }
  }

  private func fittedSampler(
    _ asked: Sampler.Name?, data: String?, on world: Communicator?, progress: TaskProgress
  ) throws -> Sampler {
    let name = try asked ?? recordedSampler
    let type = type(of: loaded.model).fittedSampler(named: name)!
    let world = try world ?? (type.isTrained ? RankedJob.start().world : nil)
    let images = try images(.train, at: data)
    let fitter = SamplerFitter(
      loaded.model, images: images, seed: state.run.optimization.seed, on: world,
      progress: progress.show)
    let fitted = try fitter.fit(type)
    if world?.rank ?? 0 == 0, !isRaw { keep(fitted, progress) }
    return fitted.sampler
  }

  /// A run that cannot be written to, such as somebody else's, is no reason not to draw.
  private func keep(_ fitted: any SavableSampler, _ progress: TaskProgress) {
    do { try fitted.save(in: checkpoint) } catch {
      progress.finish()
      note("the fitted sampler is not kept: \(error)")
    }
  }

  /// The run's own sampler.
  var recordedSampler: Sampler.Name {
    get throws {
      try state.run.model.sampler ?? LatheCommand.model(named: state.run.model.name).defaultSampler
    }
  }
}
