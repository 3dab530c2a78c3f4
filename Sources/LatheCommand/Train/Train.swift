import ArgumentParser
import LatheTraining

package struct Train: ParsableCommand {
  package static let configuration = CommandConfiguration(
    abstract: "Trains a model on a data set.",
    discussion: """
      On one rank:
        lathe train vae fashion-mnist --steps 1000
      On four ranks, and on two of them from a recipe:
        mpirun -n 4 lathe train vae fashion-mnist --steps 1000
        mpirun -n 2 lathe train --recipe launch/recipes/vae-mnist.yml
      With another hyperparameter (`lathe models vae` lists them):
        lathe train vae fashion-mnist --set latentSize=16

      Settings come from flags, over the recipe, over defaults. A resumed run
      goes on with its own settings, over defaults. All of them are saved in
      the run's config.yml, which is a recipe again.

      The ranks of mpirun -n N need N cores, or --oversubscribe. With
      --threads above 1, add --bind-to none to mpirun.
      """)

  @Argument(help: .setting("model"), completion: .models) var model: String?

  @Argument(help: .setting("dataset"), completion: .datasets) var dataset: String?

  @OptionGroup(title: "Run") var runFlags: RunFlags
  @OptionGroup(title: "Length and draws") var optimizationFlags: OptimizationFlags
  @OptionGroup(title: "Updates") var updateFlags: UpdateFlags
  @OptionGroup(title: "Batch") var batchFlags: BatchFlags
  @OptionGroup(title: "Data") var dataFlags: DataFlags
  @OptionGroup(title: "Output") var outputFlags: OutputFlags
  @OptionGroup(title: "Evaluation while training") var evaluationFlags: RunEvaluationFlags

  package init() {}

  package func run() throws {
    if model == "classifier" { return try trainClassifier() }
    var settings = try RunSettings(self, ranks: Launcher.place?.size ?? 1)
    let images = try settings.loadImages()
    let run = try settings.resolved(images)
    let evaluation = try settings.evaluation(images)
    let weights = try runFlags.resume ? nil : settings.initialWeights(run, images)
    let writes = Launcher.isRoot && !runFlags.dryRun
    let lock = writes ? try prepare(run, &settings, images) : nil
    defer { withExtendedLifetime(lock) {} }
    try TrainJob(
      settings: settings, configuration: run, images: images, evaluation: evaluation,
      weights: weights, resume: runFlags.resume, isDry: runFlags.dryRun,
      allowsOtherImages: runFlags.allowOtherData
    ).run()
  }

  /// The former spelling of `lathe features train`.
  private func trainClassifier() throws {
    note("`train classifier` is now called `features train`")
    let options: [(String, String?)] = [
      ("--data", dataFlags.data), ("--epochs", optimizationFlags.epochs),
      ("--batch", batchFlags.batch), ("--seed", optimizationFlags.seed), ("--out", runFlags.out),
      ("--threads", batchFlags.threads),
    ]
    let given = options.flatMap { name, value in value.map { [name, $0] } ?? [] }
    let colour = runFlags.hyperparameters.contains("colour=true") ? ["--colour"] : []
    let command = try FeaturesTrain.parse((dataset.map { [$0] } ?? []) + given + colour)
    try command.run()
  }

  /// Makes the run's folder, sees that no other process writes it, and refuses one that holds
  /// another run.
  private func prepare(
    _ run: RunConfiguration, _ settings: inout RunSettings, _ images: RunImages
  ) throws -> RunLock {
    if let timeline = run.output.timeline { _ = try OutputFile(timeline, option: "--timeline") }
    if runFlags.resume { _ = try requireCheckpoint(run, settings, images) }
    try settings.makeFolder()
    let folder = settings.folder
    let lock = try failing { try RunLock(folder: folder, note: note) }
    try requireRightFolder(settings)
    // While nobody had the lock, another process may have gone on with the run.
    if runFlags.resume { noteChanges(run, try requireCheckpoint(run, settings, images), images) }
    try failing { try RunFolder(folder).prepare() }
    return lock
  }

  private func requireRightFolder(_ settings: RunSettings) throws {
    let folder = settings.folder
    let checkpoints = CheckpointStore(reading: folder.appending("checkpoints"))
    guard !runFlags.resume, let last = try failing({ try checkpoints.steps() }).last else { return }
    throw CommandFailure.usage(
      "\(folder) holds a run already (step \(last)): add --resume to continue it, or choose "
        + "another --out")
  }

  /// The newest checkpoint's state, if it is one of this run on these images. The files of the
  /// checkpoint are checked when they are read.
  private func requireCheckpoint(
    _ run: RunConfiguration, _ settings: RunSettings, _ images: RunImages
  ) throws -> RunState {
    let checkpoints = CheckpointStore(reading: settings.folder.appending("checkpoints"))
    let found = try failing { try checkpoints.latest { try RunState(withoutFiles: $0) } }
    guard let found else {
      throw CommandFailure.missing("nothing to resume: no checkpoint in \(settings.folder)")
    }
    var state = found.value
    state.run.model.configuration = settings.entry.present(
      state.run.model.configuration, images: settings.dataset.shape)
    try failing { try run.requireSameRun(as: state, at: found.path) }
    guard !runFlags.allowOtherData else { return state }
    do { try state.requireSame(RunState.Images(images.train), at: found.path) } catch {
      throw CommandFailure.data("\(error). Say --allow-other-data if they are meant")
    }
    return state
  }

  /// Says what is not as it was asked for, or as the checkpoint was trained.
  private func noteChanges(_ run: RunConfiguration, _ state: RunState, _ images: RunImages) {
    if state.step > run.optimization.steps {
      note(
        "the run has made \(state.step) steps, more than the \(run.optimization.steps) asked for")
    }
    let own = RunState.Images(images.train)
    guard let former = state.images else {
      return note("the checkpoint does not say which images it was trained on; now on \(own)")
    }
    if former != own { note("the run goes on with other training images: \(own), not \(former)") }
  }
}
