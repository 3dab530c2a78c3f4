import LatheFiles
import LatheKernels
import LatheNN
import LatheModels
import LatheTensors

/// Computes a phase's gradient on this rank's slices, sums it over all slices in the fixed tree and lets the parameters move.
///
/// What is summed is one flat vector: the parameters' gradients, the buffers' observations, the loss terms. Each is
/// reduced alike, so all of them have the same bits for any number of ranks. Where ranks share memory for parameters and
/// moments, each adds up and moves its own part of them, in one pass.
final class GradientReducer {
  /// Moves the parameters of a range along gradients with the store's offsets; returns whether these were finite.
  typealias Update = (_ range: Range<Int>, _ gradients: UnsafePointer<Float>) -> Bool

  /// A phase's sums over all slices.
  struct Sums {
    /// Whether the gradients were finite, on all ranks.
    let areFinite: Bool
    /// Sum over slices of what buffers observed, with the store's offsets.
    let observations: UnsafePointer<Float>
    /// Mean over slices, the total first.
    let terms: [(name: String, value: Float)]
  }

  /// Where parameters and moments are to be.
  let memory: StateMemory

  private static let maximumTerms = 32
  private let store: ParameterStore
  private let reduction: TreeReduction
  private let slices: Int
  private let precision: Precision
  private let world: Communicator
  private let monitor: RankMonitor
  private let observationStart, termStart: Int
  /// Present where statistics are those of the whole batch.
  private let turns: SliceTurns?
  /// Gradients of slices that are under way together, when there are several on this rank.
  private let vectors: [Arena]

  /// Names of the last phase's terms.
  private var names: [String] = []
  /// Slices of this rank whose loss in the last phase had a term that is not finite.
  private(set) var slicesNotFinite: [Int] = []

  /// With room for `stateCount` values in `memory`. Collective; the store is laid out.
  init(
    _ store: ParameterStore, _ world: Communicator, slices: Int, statistics: BatchStatistics,
    stateCount: Int, precision: Precision, monitor: RankMonitor
  ) throws(MPIError) {
    self.store = store
    self.slices = slices
    self.precision = precision
    self.world = world
    self.monitor = monitor
    observationStart = store.values.count
    termStart = observationStart + store.bufferValues.count
    let count = termStart + GradientReducer.maximumTerms
    let reduction = try TreeReduction(world, slices: slices, count: count)
    self.reduction = reduction
    memory = try StateMemory(
      count: stateCount, sharing: reduction.transport == .sharedMemory, on: world)
    turns =
      statistics == .global
      ? SliceTurns(reduction.slices, of: slices, store, on: world, monitor: monitor) : nil
    let isTogether = turns != nil && reduction.slices.count > 1
    vectors = isTogether ? reduction.slices.map { _ in Arena(count: count) } : []
    // Nobody writes the padding between parameters; sums of zeros keep it zero.
    for slice in reduction.slices {
      LatheKernels.fill(reduction.slot(for: slice), with: 0, count: reduction.count)
    }
  }

  /// How sums travel, for the banner.
  var transport: String {
    let state = memory.isShared ? "; parameters and moments too" : ""
    return "\(reduction.transport.rawValue) (\(reduction.transportReason)\(state))"
  }

  /// The slices of this rank.
  var ownSlices: Range<Int> { reduction.slices }

  /// Which transport carries the sums.
  var carrier: Transport { reduction.transport }

  /// Runs the phase's loss backwards on each own slice, completes the sums, if asked during the last slice's backward
  /// pass, and has this rank's part of the parameters moved by `update`. Collective.
  func reduce(
    _ phase: BoundPhase, _ batches: [Int: Batch], overlapping: Bool, update: Update
  ) throws(MPIError) -> Sums {
    let gradients = phase.groups.map(store.range).sorted { $0.lowerBound < $1.lowerBound }
    let rest = [observationStart..<reduction.count]
    slicesNotFinite = []
    if let turns {
      try differentiateTogether(phase, batches, turns, gradients + rest)
    } else {
      for slice in overlapping ? reduction.slices.dropLast() : reduction.slices {
        let slot = reduction.slot(for: slice)
        monitor.measure(.compute) { differentiate(phase, batches[slice]!, into: slot) }
        finish(slice, gradients + rest)
      }
    }
    let areFinite: Bool
    if overlapping {
      try overlap(phase, batches)
      areFinite = move(gradients, update)
    } else if memory.isShared {
      areFinite = try completeAndMove(gradients, rest, update)
    } else {
      try complete(gradients + rest)
      areFinite = move(gradients, update)
    }
    return Sums(
      areFinite: try monitor.meet { () throws(MPIError) in try memory.agree(areFinite) },
      observations: reduction.result + observationStart,
      terms: names.enumerated().map { ($1, reduction.result[termStart + $0] / Float(slices)) })
  }

  /// Moves this rank's part of parameters whose gradients have been added up.
  private func move(_ ranges: [Range<Int>], _ update: Update) -> Bool {
    let ranges = memory.isShared ? reduction.part(ranges) : ranges
    let areFinite = monitor.measure(.optimizer) {
      Profile.measure(.update) { ranges.map { update($0, reduction.result) } }
    }
    return areFinite.allSatisfy { $0 }
  }

  /// Adds up this rank's part of the gradients and moves its parameters, piece by piece.
  private func completeAndMove(
    _ gradients: [Range<Int>], _ rest: [Range<Int>], _ update: Update
  ) throws(MPIError) -> Bool {
    var areFinite = true
    var moving = Duration.zero
    try meeting { () throws(MPIError) in
      try reduction.complete(ranges: rest, parts: gradients, pieceFloats: Self.pieceFloats) {
        let start = ContinuousClock.now
        if !update($0, reduction.result) { areFinite = false }
        moving += ContinuousClock.now - start
      }
      monitor.rebook(last: moving, as: .optimizer)
      Profile.rebook(moving, from: .exchange, as: .update)
    }
    return areFinite
  }

  /// Sums that stay in the cache while parameters move along them; with more threads each has a piece of its kernels' size.
  private static var pieceFloats: Int { Workers.count == 1 ? 1 << 14 : Workers.count << 16 }

  /// Lets the slices meet on their way.
  private func differentiateTogether(
    _ phase: BoundPhase, _ batches: [Int: Batch], _ turns: SliceTurns, _ ranges: [Range<Int>]
  ) throws(MPIError) {
    try monitor.measure(.compute) { () throws(MPIError) in
      try turns.run { [self] in differentiate(phase, batches[$0]!, into: vector(for: $0)) }
    }
    for slice in reduction.slices {
      let (vector, slot) = (vector(for: slice), reduction.slot(for: slice))
      for range in ranges where vector != slot {
        (slot + range.lowerBound).update(from: vector + range.lowerBound, count: range.count)
      }
      finish(slice, ranges)
    }
  }

  private func vector(for slice: Int) -> UnsafeMutablePointer<Float> {
    vectors.isEmpty
      ? reduction.slot(for: slice) : vectors[slice - reduction.slices.lowerBound].pointer
  }

  /// Takes up a slice whose slot is filled.
  private func finish(_ slice: Int, _ ranges: [Range<Int>]) {
    noteIfNotFinite(slice, reduction.slot(for: slice))
    monitor.measure(.reduction) {
      Profile.measure(.exchange) { reduction.finish(slice: slice, ranges: ranges) }
    }
  }

  private func noteIfNotFinite(_ slice: Int, _ slot: UnsafeMutablePointer<Float>) {
    let terms = slot + termStart
    if !names.indices.allSatisfy({ terms[$0].isFinite }) { slicesNotFinite.append(slice) }
  }

  /// Differentiates the last slice and meanwhile adds up what is ready on all ranks.
  private func overlap(_ phase: BoundPhase, _ batches: [Int: Batch]) throws(MPIError) {
    let slice = reduction.slices.upperBound - 1
    let slot = reduction.slot(for: slice)
    let queue = ReductionQueue(reduction, slice: slice)
    monitor.measure(.compute) {
      differentiate(phase, batches[slice]!, into: slot) { queue.add($0) }
    }
    noteIfNotFinite(slice, slot)
    queue.add(observationStart..<reduction.count)
    try monitor.meet(as: .reduction) { () throws(MPIError) in
      try Profile.measure(.exchange) { () throws(MPIError) in try queue.drain() }
    }
  }

  /// Adds up what all ranks have within `ranges`, on every rank.
  private func complete(_ ranges: [Range<Int>]) throws(MPIError) {
    try meeting { () throws(MPIError) in try reduction.complete(ranges: ranges) }
  }

  /// Waits for all ranks, then does what is to be done with their sums; apart, so that waiting is not taken for work.
  private func meeting(_ body: () throws(MPIError) -> Void) throws(MPIError) {
    try Profile.measure(.exchange) { () throws(MPIError) in
      try monitor.meet(world)
      try monitor.measure(.reduction, body)
    }
  }

  /// Fills a slot for one slice, and keeps the names of the terms; `ready` is told each range of gradients once it is there.
  private func differentiate(
    _ phase: BoundPhase, _ batch: Batch, into slot: UnsafeMutablePointer<Float>,
    ready: (Range<Int>) -> Void = { _ in }
  ) {
    store.listen(
      to: phase.groups, gradients: slot, observations: slot + observationStart, owner: reduction)
    defer { store.stopListening() }
    withPrecision(precision) {
      let losses = phase.loss(batch)
      let terms = [("total", losses.total)] + losses.terms
      require(
        terms.count <= GradientReducer.maximumTerms, "\(phase.name): \(terms.count) loss terms")
      for (index, term) in terms.enumerated() { slot[termStart + index] = term.1.scalar }
      names = terms.map(\.0)
      let parameters = store.parameters(of: phase.groups)
      backpropagate(losses.total, scale: 1 / Float(slices), into: parameters.map(\.value)) {
        ready(parameters[$0].range)
      }
    }
  }

  /// Gives back what ranks share. Collective.
  func free() throws(MPIError) {
    try turns?.free()
    try reduction.free()
    try memory.free()
  }
}
