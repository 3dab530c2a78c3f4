import LatheFiles
import LatheDistributed
import LatheData
import LatheNN
import LatheModels
import SystemPackage
import LatheTensors

/// Trains a model on all ranks: blocks of phases on slices, reduction, updates, and now and then a
/// preview, an evaluation and a save.
public final class Trainer {
  /// What the outside sees of a run; called on rank 0 only.
  public struct Hooks {
    /// After each step.
    public var stepped: (StepRecord) throws -> Void = { _ in }
    /// After each preview on the test split.
    public var previewed: (Preview) throws -> Void = { _ in }
    /// After each evaluation on validation images.
    public var evaluated: (EvaluationRecord) throws -> Void = { _ in }
    /// Once a checkpoint is on the disk, with its path.
    public var saved: (_ step: Int, _ path: FilePath) throws -> Void = { _, _ in }
    /// At the end of the run, with the seconds of each activity since the last step's record.
    public var ended: (_ step: Int, _ times: [Double]) throws -> Void = { _, _ in }
    /// While a preview, an evaluation or the fit of a sampler goes on.
    public var working: Progress = { _, _, _ in }
    /// A damaged checkpoint was passed over.
    public var skipped: (FilePath, FileError) -> Void = { _, _ in }
    public init() {}
  }

  /// The step that has just been made.
  public struct StepRecord: Sendable {
    /// Steps made, this one included.
    public let step: Int
    /// Mean losses over the batch, as `phase/term`, of each phase's last run in the step.
    public let losses: [(name: String, value: Float)]
    /// Each phase's learning rate.
    public let rates: [(phase: String, rate: Float)]
    /// The norm of each phase's gradients in its last run, before clipping; empty where it was not
    /// measured.
    public let norms: [(phase: String, norm: Float)]
    /// How far each latent dimension is open, at steps with a line in the log; empty for models
    /// without a mask.
    public let mask: [Float]
    /// Wall-clock seconds of the step.
    public let seconds: Double
    /// Seconds that this rank spent on each activity since the record before, in the order of
    /// `Activity.allCases`.
    public let times: [Double]
  }

  /// How a run ended that met no error.
  public enum Outcome: Equatable, Sendable {
    /// All steps have been made.
    case finished
    /// A rank was asked to stop (``Trainer/shouldStop``); the present step has been saved.
    case stopped(by: String)
    /// No evaluation was better than that after `best` steps for as long as the run's patience
    /// goes; the present step has been saved.
    case outOfPatience(best: Int)
  }

  /// What is run, all settings resolved.
  public let configuration: RunConfiguration
  /// Folder of the run; only rank 0 touches it.
  public let folder: FilePath
  /// The model with its parameters and buffers.
  public let network: LoadedModel
  /// Steps made.
  public internal(set) var step = 0 {
    didSet { monitor.step = step }
  }
  /// Whether the run has ended before its last step.
  private(set) var isOver = false
  /// The first step of this process, counted from 1.
  private var firstStep = 1
  /// What rank 0 tells the outside.
  public var hooks = Hooks()

  /// Why this rank should stop, asked after each step: the name of a signal, say; nil to go on.
  public var shouldStop: () -> String? = { nil }
  /// When and how the run evaluates the model on validation images; nil if it does not.
  public var evaluation: EvaluationSchedule? {
    didSet {
      evaluation?.evaluator.progress = { [unowned self] in report($0, $1, $2) }
      guard configuration.watchesScores, let evaluation else { return }
      plateau = Plateau(
        configuration.updates.plateau.rule(
          isHigherBetter: evaluation.watched?.isHigherBetter ?? false))
    }
  }
  /// What lowers the learning rates where the schedule is `plateau`; the same on all ranks.
  var plateau: Plateau? {
    didSet { runner.rateScale = Float(plateau?.state.factor ?? 1) }
  }

  /// Where this rank is and where its time goes.
  public let monitor: RankMonitor

  let world: Communicator
  private let fault: (any FaultInjector)?
  private let loader: BatchLoader
  private var prefetcher: Prefetcher?
  let previewer: Previewer
  /// How fast test images are reconstructed, and samplers are fitted to codes.
  var imagePace, codePace: Pace
  /// The sampler that was fitted last.
  var lastFitted: StepSampler?
  let train, test: ImageSet
  let runner: StepRunner
  var checkpoints: RunCheckpoints?
  private var best: BestCheckpoint?
  /// Seconds of each activity that records have told.
  private var recorded: [Double] = []

  /// Checks that all ranks are about to do the same, and takes the memory for it. Collective.
  ///
  /// `train` and `test` are the same images on every rank. Slices that are left out are one, a
  /// sampler is the model's default.
  ///
  /// - Throws: `TrainingError.signature` where ranks differ, `SamplerError`, `MPIError`.
  public init(
    _ network: LoadedModel, _ configuration: RunConfiguration, in folder: FilePath,
    train: ImageSet, test: ImageSet, on world: Communicator,
    monitor: RankMonitor = RankMonitor(), fault: (any FaultInjector)? = nil
  ) throws {
    let run = configuration.completed(for: network)
    (self.network, self.configuration, self.folder) = (network, run, folder)
    (self.world, self.monitor, self.fault) = (world, monitor, fault)
    (self.train, self.test) = (train, test)
    imagePace = Pace(first: 100) { count in try world.broadcast { count } }
    codePace = Pace(first: 200) { count in try world.broadcast { count } }
    _ = try network.model.sampler(named: run.sampler)
    loader = BatchLoader(run, images: train)
    previewer = Previewer(test: test, world: world, seed: run.optimization.seed)
    try Signature(run, network.store, train: train, test: test).compare(on: world)
    runner = try StepRunner(
      network.model.boundStep, network.store, on: world, slices: run.slices,
      statistics: run.batch.statistics, overlap: run.batch.overlap,
      random: RandomSource(seed: run.optimization.seed).derived("training"),
      precision: run.optimization.precision, updates: run.updates.options, monitor: monitor)
    network.model.labels?.learn(count: train.count) { train.label(of: $0) }
    try broadcastState()
  }

  /// Parameters and buffers.
  public var store: ParameterStore { network.store }
  /// The model.
  public var model: any Model { network.model }
  /// How gradients travel, for the banner.
  public var transport: String { runner.transport }
  /// What was decided on overlap and why, where there was a choice.
  public var overlap: String? { runner.overlap }

  // MARK: The run

  /// Continues from the newest intact checkpoint in the run's folder. Collective.
  ///
  /// - Throws: `TrainingError`, also where the checkpoint was trained on other images, unless that
  ///   is meant; `FileError`, `MPIError`.
  public func resume(allowingOtherImages: Bool = false) throws {
    let checkpoints = openedCheckpoints()
    let found = try world.broadcast(from: 0) { [hooks, network] in
      try checkpoints.load(
        allowingOtherImages: allowingOtherImages, onSkip: hooks.skipped, spelled: network.present
      ).bytes
    }
    let loaded = try RunCheckpoints.Loaded(bytes: found)
    step = loaded.step
    runner.resume(afterSteps: step)
    if let plateau, let state = loaded.plateau {
      self.plateau = Plateau(plateau.settings, continuing: state)
    }
    if world.rank == 0 { openedBest()?.resume(after: step) }
    try broadcastState()
    firstStep = step + 1
  }

  /// Starts from weights in place of those that were drawn; rank 0 gives them. Collective.
  ///
  /// - Throws: `FileError` where they are not the model's, `MPIError`.
  public func start(from weights: InitialWeights?) throws {
    try world.broadcast0 { [store] in try weights?.load(into: store) }
    try broadcastState()
  }

  /// Makes the steps that are left, or fewer if a rank should stop. Collective.
  @discardableResult public func run() throws -> Outcome {
    let checkpoints = openedCheckpoints()
    try world.broadcast0 { try checkpoints.prepare() }
    try world.barrier()
    monitor.begin()
    recorded = monitor.seconds
    try preview()
    var outcome = step < configuration.optimization.steps ? nil : Outcome.finished
    if outcome == nil, let best = try makeUpForEvaluation() {
      outcome = try endEarly(best: best, isSaved: true)
    }
    while outcome == nil {
      try recordStep()
      outcome = try endStep()
    }
    if world.rank == 0 { try hooks.ended(step, unrecordedTimes()) }
    return outcome ?? .finished
  }

  /// Makes a step, and tells it to the outside.
  private func recordStep() throws {
    let start = ContinuousClock.now
    try fault?.strike(afterSteps: step)
    runner.measuresNorms = isLogged(step + 1)
    let losses = try makeStep()
    let rates = runner.rates(step: step)
    step += 1
    let seconds = (ContinuousClock.now - start).seconds
    let record = StepRecord(
      step: step, losses: losses, rates: rates, norms: runner.norms,
      mask: isLogged(step) ? loggedMask : [], seconds: seconds,
      times: unrecordedTimes())
    if world.rank == 0 { try monitor.measure(.other) { try hooks.stepped(record) } }
  }

  /// The model's mask, if it is not too long for a line of a log.
  private var loggedMask: [Float] {
    let mask = model.latentMask?.values ?? []
    return mask.count <= 1024 ? mask : []
  }

  /// Whether a step, counted from 1, has a line in the log: the first of this process, the last,
  /// and those between at intervals.
  public func isLogged(_ step: Int) -> Bool {
    step.isDue(every: configuration.output.logEvery) || step == configuration.optimization.steps
      || step == firstStep
  }

  /// Seconds of each activity since the last call.
  private func unrecordedTimes() -> [Double] {
    defer { recorded = monitor.seconds }
    return zip(monitor.seconds, recorded).map { $0 - $1 }
  }

  /// Saves, previews and evaluates if that is due, and agrees with the others on whether to stop.
  private func endStep() throws -> Outcome? {
    let isLast = step == configuration.optimization.steps
    let reasons = try agree()
    let isDue = step.isDue(every: configuration.output.checkpointEvery)
    if isLast || reasons != nil || isDue { try beginSaving() }
    if isLast || reasons != nil { try concludeSaving() }
    if let reasons, !isLast { return .stopped(by: reasons) }
    if isLast || step.isDue(every: configuration.output.previewEvery) { try preview() }
    if isLast || step.isDue(every: evaluation?.interval ?? 0) {
      let best = try evaluate()
      if let best, !isLast { return try endEarly(best: best, isSaved: isDue) }
    }
    return isLast ? .finished : nil
  }

  /// The end of a run that has not become better for long enough.
  private func endEarly(best: Int, isSaved: Bool) throws -> Outcome {
    if !isSaved { try beginSaving() }
    try concludeSaving()
    isOver = true
    try preview()
    return .outOfPatience(best: best)
  }

  /// How long each rank spent on what, on every rank. Collective.
  public func times() throws -> RunTimes { try RunTimes(of: monitor, on: world) }

  /// Writes what each rank did when as a Chrome trace; rank 0 writes. Collective.
  public func writeTimeline(to path: FilePath) throws {
    let timeline = try Timeline(of: monitor, on: world)
    try world.broadcast0 { try timeline?.write(to: path) }
  }

  /// Gives back what ranks share. Collective.
  public func finish() throws { try runner.free() }

  /// A sign of life, and how far this rank is with something that takes a while.
  func report(_ task: String, _ done: Int, _ total: Int) {
    monitor.heartbeat()
    if world.rank == 0 { hooks.working(task, done, total) }
  }

  /// The best checkpoint so far; nil if the run is not evaluated.
  func openedBest() -> BestCheckpoint? {
    guard best == nil, let evaluation else { return best }
    let opened = BestCheckpoint(
      configuration, by: evaluation.leading, in: folder, store: store,
      images: RunState.Images(train), average: runner.average)
    best = opened
    return opened
  }

  func openedCheckpoints() -> RunCheckpoints {
    if let checkpoints { return checkpoints }
    let opened = RunCheckpoints(
      configuration, in: folder, store: store, images: RunState.Images(train),
      optimizers: runner.optimizers, average: runner.average, fault: fault)
    checkpoints = opened
    return opened
  }

  /// Rank 0's parameters, buffers and moments on every rank, whatever each drew or loaded.
  private func broadcastState() throws(MPIError) {
    try runner.broadcastState()
    let buffers = store.bufferValues.storage(0..<store.bufferValues.count)
    if buffers.count > 0 {
      try world.broadcast(
        UnsafeMutableBufferPointer(start: buffers.pointer, count: buffers.count), from: 0)
    }
    try world.barrier()
  }

  // MARK: A step

  func makeStep() throws -> [(name: String, value: Float)] {
    do {
      let losses = try runner.run(step: step, images: images)
      if let damage = prefetcher?.damage { throw damage }
      return losses
    } catch let error as NotFinite {
      throw TrainingError.notFinite(
        phase: error.phase, term: error.term, step: step + 1, value: error.value,
        origins: try notFiniteOrigins(), lastCheckpoint: try lastCheckpoint())
    }
  }

  /// Goes on with another step, counted from 0, and its images.
  func jump(to step: Int) { (self.step, prefetcher) = (step, nil) }

  /// The images of a slice, `[N, H, W, C]` in [0, 1], as the prefetch thread has them ready.
  private func images(draw: Int, slice: Int) -> Tensor {
    let prefetcher =
      prefetcher ?? Prefetcher(loader, slices: Array(runner.ownSlices), from: draw)
    self.prefetcher = prefetcher
    let shape = loader.images.shape
    return Tensor(shape: [loader.imagesPerSlice, shape.height, shape.width, shape.channels]) {
      prefetcher.take(draw: draw, slice: slice, into: $0)
      fault?.poison($0, afterSteps: step)
    }.labelled(
      model.labels == nil
        ? nil : loader.images.labelTensor(loader.indices(draw: draw, slice: slice)))
  }
}

extension Int {
  /// Whether this step completes an interval; none does when the interval is 0.
  func isDue(every interval: Int) -> Bool { interval > 0 && self % interval == 0 }

  var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }

  init(littleEndianBytes bytes: [UInt8]) {
    self = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
