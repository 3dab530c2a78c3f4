import Checkpoints
import Communication
import Datasets
import Layers
import Models
import Optimizers
import SystemPackage
import Tensors

/// Runs a plan on all ranks: blocks of phases on slices, reduction, updates, and now and then a look and a save.
public final class Trainer {
  /// What the outside sees of a run; called on rank 0 only.
  public struct Hooks {
    /// After each step.
    public var stepped: (StepRecord) throws -> Void = { _ in }
    /// After each evaluation on the test split.
    public var evaluated: (Evaluation) throws -> Void = { _ in }
    /// After each checkpoint, with its path.
    public var saved: (_ step: Int, _ path: FilePath) throws -> Void = { _, _ in }
    /// A damaged checkpoint was passed over.
    public var skipped: (FilePath, CheckpointError) -> Void = { _, _ in }
    public init() {}
  }

  /// The step that has just been made.
  public struct StepRecord: Sendable {
    /// Steps made, this one included.
    public let step: Int
    /// Mean losses over the batch, as `phase/term`, of each phase's last run in the step.
    public let losses: [(name: String, value: Float)]
    /// Wall-clock seconds of the step.
    public let seconds: Double
    /// Those of them in which rank 0 waited for its images.
    public let dataSeconds: Double
  }

  /// The plan being run.
  public let plan: TrainingPlan
  /// Parameters and buffers.
  public let store: ParameterStore
  /// The model.
  public let model: any Model
  /// Steps made.
  public private(set) var step = 0
  /// What rank 0 tells the outside.
  public var hooks = Hooks()

  private let world: Communicator
  private let loader: BatchLoader
  private var prefetcher: Prefetcher?
  private var lastImages: (draw: Int, slices: [Int: Tensor])?
  private let evaluator: Evaluator
  private let blocks: [BoundBlock]
  private let optimizers: [String: Optimizer]
  private let reducer: GradientReducer
  private let random: RandomSource
  private var checkpoints: RunCheckpoints?

  /// Builds the model on every rank and checks that all ranks are about to do the same. Collective.
  ///
  /// `train` and `test` are the same images on every rank.
  public init(_ plan: TrainingPlan, train: ImageSet, test: ImageSet, on world: Communicator) throws
  {
    self.plan = plan
    self.world = world
    let network = try LoadedModel(
      plan.model, images: train.shape, configuration: plan.configuration, seed: plan.seed)
    store = network.store
    model = network.model
    blocks = network.model.boundStep
    let order = Order(
      count: train.count, batch: plan.batch, seed: plan.seed, replacement: plan.replacement)
    loader = BatchLoader(images: train, order: order, slices: plan.slices, flips: plan.flips)
    evaluator = Evaluator(test: test, world: world, seed: plan.seed)
    random = RandomSource(seed: plan.seed).derived("training")
    var optimizers: [String: Optimizer] = [:]
    for phase in blocks.flatMap(\.phases) {
      optimizers[phase.name] = Optimizer(phase.rule, groups: phase.groups, of: network.store)
    }
    self.optimizers = optimizers
    try Signature(plan, network.store, train: train, test: test).compare(on: world)
    reducer = try GradientReducer(network.store, world, slices: plan.slices)
    try broadcastState()
  }

  /// How gradients travel, for the banner.
  public var transport: String { reducer.transport }

  // MARK: The run

  /// Continues from the newest intact checkpoint in the run's folder. Collective.
  public func resume() throws {
    let checkpoints = openedCheckpoints()
    let found = try world.broadcast(from: 0) { [hooks] in
      try checkpoints.load(onSkip: hooks.skipped).bytes
    }
    step = Int(littleEndianBytes: found)
    for block in blocks {
      for phase in block.phases {
        optimizers[phase.name]!.resume(afterUpdates: step * block.repeats)
      }
    }
    try broadcastState()
  }

  /// Makes the steps that are left. Collective.
  public func run() throws {
    let checkpoints = openedCheckpoints()
    try world.broadcast0 { try checkpoints.prepare() }
    try evaluate()
    while step < plan.steps {
      let start = ContinuousClock.now
      let waited = prefetcher?.secondsWaited ?? 0
      let losses = try makeStep()
      step += 1
      let record = StepRecord(
        step: step, losses: losses, seconds: (ContinuousClock.now - start).seconds,
        dataSeconds: (prefetcher?.secondsWaited ?? 0) - waited)
      if world.rank == 0 { try hooks.stepped(record) }
      let isLast = step == plan.steps
      if isLast || step.isDue(every: plan.checkpointEvery) { try save() }
      if isLast || step.isDue(every: plan.sampleEvery) { try evaluate() }
    }
  }

  /// Gives back what ranks share. Collective.
  public func finish() throws { try reducer.free() }

  private func evaluate() throws {
    let evaluation = try evaluator.evaluate(model, step: step)
    try world.broadcast0 { [hooks] in try hooks.evaluated(evaluation) }
  }

  private func save() throws {
    let checkpoints = openedCheckpoints()
    try world.broadcast0 { [hooks, step] in
      try hooks.saved(step, try checkpoints.save(step: step))
    }
  }

  private func openedCheckpoints() -> RunCheckpoints {
    if let checkpoints { return checkpoints }
    let opened = RunCheckpoints(
      plan: plan, store: store,
      optimizers: blocks.flatMap(\.phases).map { ($0.name, optimizers[$0.name]!) })
    checkpoints = opened
    return opened
  }

  /// Rank 0's parameters, buffers and moments on every rank, whatever each drew or loaded.
  private func broadcastState() throws(MPIError) {
    let moments = optimizers.sorted { $0.key < $1.key }.flatMap { $0.value.tensors.map(\.storage) }
    let whole = [
      store.values.storage(0..<store.values.count),
      store.bufferValues.storage(0..<store.bufferValues.count),
    ]
    for storage in whole + moments where storage.count > 0 {
      try world.broadcast(
        UnsafeMutableBufferPointer(start: storage.pointer, count: storage.count), from: 0)
    }
  }

  // MARK: A step

  /// Runs every block; returns the losses of each phase's last run.
  private func makeStep() throws -> [(name: String, value: Float)] {
    var losses: [(name: String, value: Float)] = []
    let draws = blocks.filter { !$0.reusesBatch }.reduce(0) { $0 + $1.repeats }
    var draw = step * draws - 1
    for block in blocks {
      for `repeat` in 0..<block.repeats {
        if !block.reusesBatch { draw += 1 }
        let batches = sliceBatches(draw: draw)
        for phase in block.phases {
          let terms = try run(phase, on: batches)
          guard `repeat` == block.repeats - 1 else { continue }
          losses += terms.map { ("\(phase.name)/\($0.name)", $0.value) }
        }
      }
    }
    return losses
  }

  private func sliceBatches(draw: Int) -> [Int: Batch] {
    let images = images(draw: draw)
    var batches: [Int: Batch] = [:]
    for slice in reducer.ownSlices {
      batches[slice] = Batch(
        images: images[slice]!, random: random.derived(draw).derived(slice), step: step)
    }
    return batches
  }

  /// The own slices of a draw; a block that reuses the batch asks for the same draw again.
  private func images(draw: Int) -> [Int: Tensor] {
    if let lastImages, lastImages.draw == draw { return lastImages.slices }
    lastImages = nil
    let prefetcher = prefetcher ?? Prefetcher(loader, slices: Array(reducer.ownSlices), from: draw)
    self.prefetcher = prefetcher
    let shape = loader.images.shape
    var slices: [Int: Tensor] = [:]
    for slice in reducer.ownSlices {
      slices[slice] = Tensor(
        shape: [loader.imagesPerSlice, shape.height, shape.width, shape.channels]
      ) {
        prefetcher.take(draw: draw, slice: slice, into: $0)
      }
    }
    lastImages = (draw, slices)
    return slices
  }

  private func run(_ phase: BoundPhase, on batches: [Int: Batch]) throws -> [(
    name: String, value: Float
  )] {
    let sums = try reducer.reduce(phase) { batches[$0]! }
    for term in sums.terms where !term.value.isFinite {
      throw notFinite(phase, term.name, term.value)
    }
    let finite = optimizers[phase.name]!.update(along: sums.gradients, scale: 1, step: step)
    guard finite else { throw notFinite(phase, "the gradient", .nan) }
    store.moveBuffers(observations: sums.observations, slices: plan.slices)
    return sums.terms
  }

  private func notFinite(_ phase: BoundPhase, _ term: String, _ value: Float) -> TrainingError {
    .notFinite(
      phase: phase.name, term: term, step: step + 1, value: value,
      lastCheckpoint: checkpoints?.lastSaved)
  }
}

extension Communicator {
  /// Runs `body` on rank 0; its error is thrown on every rank. Collective.
  func broadcast0(_ body: () throws -> Void) throws {
    _ = try broadcast(from: 0) {
      try body()
      return []
    }
  }
}

extension Duration {
  /// The duration in seconds.
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

extension Int {
  /// Whether this step completes an interval; none does when the interval is 0.
  fileprivate func isDue(every interval: Int) -> Bool { interval > 0 && self % interval == 0 }

  var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }

  init(littleEndianBytes bytes: [UInt8]) {
    self = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
