import LatheKernels
import LatheNN
import LatheModels
import LatheTensors

/// Makes training steps: blocks of phases on this rank's slices, reduction over all ranks, updates.
public final class StepRunner {
  /// How gradients travel, for the banner.
  public var transport: String {
    let state = sharesState ? "; parameters and moments too" : ""
    return "\(reduction.transport.rawValue) (\(reduction.transportReason)\(state))"
  }
  /// What was decided on overlap and why, where there was a choice.
  public var overlap: String? { choice.summary }
  /// The slices of this rank.
  public var ownSlices: Range<Int> { reduction.slices }
  /// Whether all ranks have their parameters and moments in the same memory.
  package var sharesState: Bool { memory.isShared }
  /// Each phase's optimizer, in the order of the phases.
  package let optimizers: [(phase: String, optimizer: Optimizer)]

  private let blocks: [BoundBlock]
  private let store: ParameterStore
  private let vector: SliceVector
  private let reduction: TreeReduction
  private let memory: StateMemory
  private let turns: SliceTurns?
  /// How a phase is made, without and with overlap.
  private let plainStep, overlappedStep: any GradientStep
  private let random: RandomSource
  private let monitor: RankMonitor
  private let slices: Int
  private let statistics: BatchStatistics
  private let choice: OverlapChoice

  /// For a store that is laid out; noise is drawn from `random`, times are booked in `monitor`.
  /// Collective.
  public init(
    _ blocks: [BoundBlock], _ store: ParameterStore, on world: Communicator, slices: Int,
    statistics: BatchStatistics = .slice, overlap: Overlap = .off, random: RandomSource,
    precision: Precision = .float32,
    monitor: RankMonitor = RankMonitor()
  ) throws(MPIError) {
    self.blocks = blocks
    self.store = store
    self.slices = slices
    self.random = random
    self.statistics = statistics
    self.monitor = monitor
    vector = SliceVector(store, slices: slices, precision: precision)
    reduction = try TreeReduction(world, slices: slices, count: vector.count)
    // Nobody writes the padding between parameters; sums of zeros keep it zero.
    for slice in reduction.slices {
      LatheKernels.fill(reduction.slot(for: slice), with: 0, count: reduction.count)
    }
    let phases = blocks.flatMap(\.phases)
    let moments = phases.map { Optimizer.stateCount($0.rule, groups: $0.groups, of: store) }
    memory = try StateMemory(
      count: moments.reduce(store.values.count, +),
      sharing: reduction.transport == .sharedMemory, on: world)
    turns =
      statistics == .global
      ? SliceTurns(reduction.slices, of: slices, store, on: world, monitor: monitor) : nil
    var step: any GradientStep =
      memory.isShared
      ? ShardedStep(vector, reduction, memory, on: world) : PlainStep(vector, reduction, on: world)
    if let turns { step = GlobalStatisticsStep(vector, reduction, turns, over: step) }
    plainStep = TimedStep(step, monitor)
    overlappedStep = TimedStep(OverlappedStep(vector, reduction, memory), monitor)
    if memory.isShared {
      store.move(to: memory.take(store.values.count), copying: world.rank == 0)
    }
    let memory = memory
    optimizers = phases.map {
      ($0.name, Optimizer($0.rule, groups: $0.groups, of: store, memory: memory.take))
    }
    // First values are there before any rank reads or loads others.
    _ = try memory.agree(true)
    // Slices that meet on their way call MPI themselves.
    choice = OverlapChoice(statistics == .global ? .off : overlap, reduction.transport, on: world)
  }

  /// Slices of this rank whose loss in the last phase was not finite.
  package var slicesNotFinite: [Int] { vector.slicesNotFinite }

  /// Fresh batches in a step.
  var draws: Int { blocks.reduce(0) { $0 + $1.draws } }

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
    for block in blocks {
      defer { draw += block.draws }
      guard block.steps.contains(step) else { continue }
      for `repeat` in 0..<block.repeats {
        if !block.reusesBatch {
          let first = draw + `repeat` * block.batches
          batches = self.batches(step: step, draws: first..<first + block.batches, images)
        }
        for phase in block.phases {
          let terms = try run(phase, on: batches, step: step)
          guard `repeat` == block.repeats - 1 else { continue }
          losses += terms.map { ("\(phase.name)/\($0.name)", $0.value) }
        }
      }
    }
    try choice.stepEnded(after: (ContinuousClock.now - start).seconds)
    return losses
  }

  /// What each own slice trains on: its images and its noise.
  private func batches(
    step: Int, draws: Range<Int>, _ images: (_ draw: Int, _ slice: Int) -> Tensor
  ) -> [Int: Batch] {
    var drawn: [Int: [Tensor]] = [:]
    for draw in draws {
      for slice in ownSlices {
        drawn[slice, default: []].append(monitor.measure(.data) { images(draw, slice) })
      }
    }
    return Dictionary(
      uniqueKeysWithValues: drawn.map { slice, images in
        let drawn = random.derived(draws.lowerBound)
        return (
          slice,
          Batch(
            images: images[0], otherImages: images.last, random: drawn.derived(slice),
            sharedRandom: statistics == .global ? drawn : nil, step: step)
        )
      })
  }

  private func run(_ phase: BoundPhase, on batches: [Int: Batch], step: Int) throws -> [(
    name: String, value: Float
  )] {
    let optimizer = optimizers.first { $0.phase == phase.name }!.optimizer
    optimizer.beginUpdate()
    let gradientStep = choice.isOn ? overlappedStep : plainStep
    try gradientStep.differentiate(phase, batches)
    try gradientStep.synchronize()
    try gradientStep.sum(phase)
    let areFinite = try gradientStep.update(phase, by: OptimizerUpdate(optimizer, step: step))
    let areFiniteOnAll = try gradientStep.agree(areFinite)
    let terms = vector.terms(in: reduction.result)
    for term in terms where !term.value.isFinite {
      throw NotFinite(phase: phase.name, term: term.name, value: term.value)
    }
    guard areFiniteOnAll else {
      throw NotFinite(phase: phase.name, term: "a gradient", value: .nan)
    }
    store.moveBuffers(observations: reduction.result + vector.observationStart, slices: slices)
    return terms
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
  }

  /// Gives back what ranks share; parameters stay, moments do not. Collective.
  public func free() throws(MPIError) {
    if sharesState { store.move(to: Arena(count: store.values.count), copying: true) }
    try turns?.free()
    try reduction.free()
    try memory.free()
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

  init(_ optimizer: Optimizer, step: Int) { (self.optimizer, self.step) = (optimizer, step) }

  func callAsFunction(_ range: Range<Int>, along gradients: UnsafePointer<Float>) -> Bool {
    optimizer.move(range, along: gradients, step: step)
  }
}
