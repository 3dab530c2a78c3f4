import LatheKernels
import LatheNN
import LatheModels
import LatheTensors

/// Makes training steps: blocks of phases on this rank's slices, reduction over all ranks, updates.
public final class StepRunner {
  /// How gradients travel, for the banner.
  public var transport: String {
    let state = sharesState ? "; parameters and moments too" : ""
    return "\(reduction.transport.name) (\(reduction.transportReason)\(state))"
  }
  /// What was decided on overlap and why, where there was a choice.
  public var overlap: String? { choice.summary }
  /// The slices of this rank.
  public var ownSlices: Range<Int> { reduction.slices }
  /// Whether ranks of a host have their parameters and moments in the same memory.
  private var sharesState: Bool { memory.isShared }
  /// Each phase's optimizer, in the order of the phases.
  package let optimizers: [(phase: String, optimizer: Optimizer)]

  private let blocks: [BoundBlock]
  private let store: ParameterStore
  private let vector: SliceVector
  private let reduction: TreeReduction
  private let memory: StateMemory
  private let gradientSteps: GradientSteps
  private let random: RandomSource
  private let monitor: RankMonitor
  private let slices: Int
  private let statistics: BatchStatistics
  private let choice: OverlapChoice
  private let options: UpdateOptions
  private let norm: GradientNorm
  /// The moving average of the parameters, if the run keeps one.
  package let average: MovingAverage?
  private let world: Communicator
  /// Whether gradient norms are wanted where nothing is clipped.
  public var measuresNorms = false
  /// What learning rates are multiplied by beside the options' factor: a plateau's.
  package var rateScale: Float = 1
  /// The norm of each phase's gradients in the last step, where it was measured.
  public private(set) var norms: [(phase: String, norm: Float)] = []

  /// For a store that is laid out; noise is drawn from `random`, times are booked in `monitor`.
  /// Collective.
  public init(
    _ blocks: [BoundBlock], _ store: ParameterStore, on world: Communicator, slices: Int,
    statistics: BatchStatistics = .slice, overlap: Overlap = .off, random: RandomSource,
    precision: Precision = .float32, updates options: UpdateOptions = UpdateOptions(),
    monitor: RankMonitor = RankMonitor()
  ) throws(MPIError) {
    (self.blocks, self.store, self.slices) = (blocks, store, slices)
    (self.random, self.statistics, self.monitor) = (random, statistics, monitor)
    (self.options, self.world) = (options, world)
    vector = SliceVector(store, slices: slices, precision: precision)
    let phases = blocks.flatMap(\.phases)
    reduction = try TreeReduction(
      world, slices: slices, count: vector.count,
      state: StateMemory.count(store, phases, averaging: options.averageDecay != nil),
      wire: options.wire)
    // Nobody writes the padding between parameters; sums of zeros keep it zero.
    reduction.clearSlots()
    memory = StateMemory(reduction)
    gradientSteps = GradientSteps(
      vector, reduction, statistics, store, on: world, monitor: monitor)
    optimizers = memory.adopt(store, phases)
    average = options.averageDecay.map { [memory] in
      MovingAverage($0, of: store, memory: memory.take)
    }
    norm = GradientNorm(reduction.memory)
    // First values are there before any rank reads or loads others.
    _ = try memory.agree(true)
    choice = OverlapChoice(overlap, statistics, reduction.transport, on: world)
  }

  /// Slices of this rank whose loss in the last phase was not finite.
  package var slicesNotFinite: [Int] { vector.slicesNotFinite }

  /// Fresh batches in a step.
  var draws: Int { blocks.reduce(0) { $0 + $1.draws } }

  /// The parts of a run of so many steps, counted from 0, in which the same blocks run.
  public func stages(of steps: Int) -> [Range<Int>] {
    let ends = blocks.flatMap { [$0.steps.lowerBound, $0.steps.upperBound] }
    let bounds = Set(ends.map { min($0, steps) } + [0, steps]).sorted()
    return zip(bounds, bounds.dropFirst()).map { $0..<$1 }
  }

  /// Runs every block of a step, counted from 0; returns the losses of each phase's last run as
  /// `phase/term`.
  ///
  /// `images` gives the images of a (draw, slice), `[N, H, W, C]` in [0, 1]; draws count on from
  /// step to step. Collective.
  public func run(step: Int, images: (_ draw: Int, _ slice: Int) -> Tensor) throws -> [(
    name: String, value: Float
  )] {
    let start = ContinuousClock.now
    var losses: [(name: String, value: Float)] = []
    var draw = step * draws
    var batches: [Int: Batch] = [:]
    norms = []
    for (place, block) in blocks.enumerated() {
      defer { draw += block.draws }
      guard block.steps.contains(step) else { continue }
      let isReused = place + 1 < blocks.count && blocks[place + 1].reusesBatch
      losses += try run(block, isReused, step: step, firstDraw: draw, &batches, images)
    }
    monitor.measure(.optimizer) { average?.update(ownParameters) }
    try choice.stepEnded(after: (ContinuousClock.now - start).seconds)
    return losses
  }

  /// Runs a block's phases as often as it repeats, the last batch to be reused or not; returns the
  /// losses of the last repeat.
  private func run(
    _ block: BoundBlock, _ isReused: Bool, step: Int, firstDraw: Int, _ batches: inout [Int: Batch],
    _ images: (_ draw: Int, _ slice: Int) -> Tensor
  ) throws -> [(name: String, value: Float)] {
    var losses: [(name: String, value: Float)] = []
    for `repeat` in 0..<block.repeats {
      if !block.reusesBatch {
        let first = firstDraw + `repeat` * block.batches
        let isLast = `repeat` == block.repeats - 1
        batches = self.batches(
          step: step, draws: first..<first + block.batches,
          sharing: block.phases.count > 1 || isLast && isReused, images)
      }
      losses = []
      for phase in block.phases {
        let terms = try run(phase, on: batches, step: step)
        for batch in batches.values { batch.groupsMoved(phase.groups) }
        losses += terms.map { ("\(phase.name)/\($0.name)", $0.value) }
      }
    }
    return losses
  }

  /// What each own slice trains on: its images and its noise, results if several phases share them.
  /// Where statistics are those of the global batch, each phase computes its own.
  private func batches(
    step: Int, draws: Range<Int>, sharing: Bool, _ images: (_ draw: Int, _ slice: Int) -> Tensor
  ) -> [Int: Batch] {
    var drawn: [Int: [Tensor]] = [:]
    for draw in draws {
      for slice in ownSlices {
        drawn[slice, default: []].append(monitor.measure(.data) { images(draw, slice) })
      }
    }
    let noise = random.derived(draws.lowerBound)
    var batches: [Int: Batch] = [:]
    for (slice, images) in drawn {
      batches[slice] = Batch(
        images: images[0], otherImages: images.last, random: noise.derived(slice),
        sharedRandom: statistics == .global ? noise : nil, step: step,
        shared: sharing && statistics == .slice ? SharedResults(store) : nil)
    }
    return batches
  }

  private func run(_ phase: BoundPhase, on batches: [Int: Batch], step: Int) throws -> [(
    name: String, value: Float
  )] {
    let optimizer = optimizers.first { $0.phase == phase.name }!.optimizer
    optimizer.beginUpdate()
    let gradientStep = choice.isOn ? gradientSteps.overlapped : gradientSteps.plain
    try gradientStep.differentiate(phase, batches)
    try gradientStep.synchronize()
    try gradientStep.sum(phase)
    let scale = try clipping(phase, gradientStep)
    let areFinite = try gradientStep.update(
      phase,
      by: OptimizerUpdate(
        optimizer, step: step, rateFactor: rateFactor(step), weightDecay: options.weightDecay,
        scale: scale))
    let areFiniteOnAll = try gradientStep.agree(areFinite)
    let terms = vector.terms(in: reduction.result)
    for term in terms where !term.value.isFinite {
      throw NotFinite(phase: phase.name, term: term.name, value: term.value)
    }
    guard areFiniteOnAll else {
      throw NotFinite(phase: phase.name, term: "a gradient", value: .nan)
    }
    store.updateRunningStatistics(from: reduction.result + vector.statisticsStart, slices: slices)
    return terms
  }

  /// What the phase's gradients are scaled by, 1 without a limit on their norm. Collective.
  ///
  /// Pascanu, Mikolov and Bengio, "On the Difficulty of Training Recurrent Neural Networks", ICML
  /// 2013, Section 3.2.
  private func clipping(
    _ phase: BoundPhase, _ gradientStep: any GradientStep
  ) throws(MPIError) -> Float {
    guard options.clipNorm != nil || measuresNorms else { return 1 }
    let own = try gradientStep.complete(phase)
    let count = vector.gradients(of: phase).reduce(0) { $0 + $1.count }
    let found = try monitor.collective(as: .reduction) { () throws(MPIError) -> Float in
      try norm(reduction.result, own, of: count)
    }
    norms.removeAll { $0.phase == phase.name }
    norms.append((phase.name, found))
    guard let limit = options.clipNorm, found > limit || found.isNaN else { return 1 }
    return limit / found
  }

  /// What all learning rates are multiplied by in a step.
  private func rateFactor(_ step: Int) -> Float { options.rateFactor(step) * rateScale }

  /// The learning rate of each phase that runs in a step.
  public func rates(step: Int) -> [(phase: String, rate: Float)] {
    blocks.filter { $0.steps.contains(step) }.flatMap(\.phases).map {
      ($0.name, $0.rule.rate(step) * rateFactor(step))
    }
  }

  // MARK: The moving average

  /// The parameters that this rank averages.
  private var ownParameters: [Range<Int>] { reduction.shard(of: [0..<store.values.count]) }

  /// Runs `body` with the moving average in place of the parameters, if there is one. Collective.
  package func withAverage<Value>(_ body: () throws -> Value) throws -> Value {
    guard let average, average.updates > 0 else { return try body() }
    try exchange(average)
    let value = try body()
    try exchange(average)
    return value
  }

  private func exchange(_ average: MovingAverage) throws(MPIError) {
    _ = try memory.agree(true)
    average.swap(ownParameters)
    _ = try memory.agree(true)
  }

  /// Continues after `step` steps, with parameters and moments that are loaded elsewhere.
  package func resume(afterSteps step: Int) {
    for block in blocks {
      for phase in block.phases {
        let optimizer = optimizers.first { $0.phase == phase.name }!.optimizer
        let steps = block.steps.clamped(to: 0..<step).count
        optimizer.resume(afterUpdates: steps * block.repeats)
      }
    }
    average?.resume(afterUpdates: step)
  }

  /// Rank 0's parameters, moments and moving average on every rank. Collective.
  package func broadcastState() throws(MPIError) {
    var state = [store.values.storage(0..<store.values.count)]
    state += optimizers.flatMap { $0.optimizer.tensors.map(\.storage) }
    state += average.map { [$0.values.storage(0..<$0.values.count)] } ?? []
    for storage in state where storage.count > 0 {
      try reduction.memory.broadcast(
        UnsafeMutableBufferPointer(start: storage.pointer, count: storage.count))
    }
  }

  /// Gives back what ranks share; parameters stay, moments do not. Collective.
  public func free() throws(MPIError) {
    if sharesState { store.move(to: Arena(count: store.values.count), copying: true) }
    try gradientSteps.free()
    try reduction.free()
  }
}

/// A number of a step that is not finite; thrown on every rank alike.
package struct NotFinite: Error {
  package let phase, term: String
  package let value: Float
}

/// One step's update by an optimizer.
private final class OptimizerUpdate: ParameterUpdate {
  private let optimizer: Optimizer
  private let step: Int
  private let scale, rateFactor, weightDecay: Float

  init(
    _ optimizer: Optimizer, step: Int, rateFactor: Float, weightDecay: Float, scale: Float
  ) {
    (self.optimizer, self.step, self.scale) = (optimizer, step, scale)
    (self.rateFactor, self.weightDecay) = (rateFactor, weightDecay)
  }

  func callAsFunction(_ range: Range<Int>, along gradients: UnsafePointer<Float>) -> Bool {
    optimizer.update(
      range, along: gradients, scale: scale, step: step, rateFactor: rateFactor,
      weightDecay: weightDecay)
  }
}
