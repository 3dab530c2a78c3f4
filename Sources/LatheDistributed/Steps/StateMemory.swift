import LatheFiles
import LatheKernels
import LatheModels
import LatheNN
import LatheTensors

/// Memory for parameters and moments. The ranks of a host that share memory keep one copy, and each
/// updates its shard; a rank by itself has its own copy and updates all of it.
final class StateMemory {
  private let memory: HostMemory
  private let shard: ([Range<Int>]) -> [Range<Int>]
  private var used = 0

  init(_ reduction: TreeReduction) {
    memory = reduction.memory
    shard = reduction.shard(of:)
  }

  /// The floats of a store's parameters, the moments of the phases' optimizers and a moving average
  /// if there is one.
  static func count(_ store: ParameterStore, _ phases: [BoundPhase], averaging: Bool) -> Int {
    let moments = phases.map { Optimizer.stateCount($0.rule, groups: $0.groups, of: store) }
    return moments.reduce((averaging ? 2 : 1) * store.values.count, +)
  }

  /// Whether ranks share it.
  var isShared: Bool { memory.state != nil }

  /// Moves the store's parameters into shared memory, if there is any, and makes each phase's
  /// optimizer.
  func adopt(
    _ store: ParameterStore, _ phases: [BoundPhase]
  ) -> [(phase: String, optimizer: Optimizer)] {
    if isShared { store.move(to: next(store.values.count), copying: memory.place == 0) }
    return phases.map {
      ($0.name, Optimizer($0.rule, groups: $0.groups, of: store, memory: take))
    }
  }

  /// Memory for a range of the store's values, each at first `initial`. A rank fills what it will
  /// update, so that this lies near it.
  func take(_ range: Range<Int>, initial: Float) -> Arena {
    guard isShared else { return Arena(for: range, filledWith: initial) }
    let arena = next(range.count)
    for piece in shard([range]) {
      LatheKernels.fill(
        arena.pointer + (piece.lowerBound - range.lowerBound), with: initial, count: piece.count)
    }
    return arena
  }

  /// The next `count` shared values, a multiple of 16.
  private func next(_ count: Int) -> Arena {
    let state = memory.state!
    require(used + count <= memory.stateCount, "StateMemory: no room for \(count) values")
    defer { used += count }
    return Arena(state + used, count: count, owner: memory)
  }

  /// Whether the condition holds on every rank that shares the memory. It is a barrier, behind
  /// which each rank sees what all have written. Collective.
  func agree(_ condition: Bool) throws(MPIError) -> Bool { try memory.agree(condition) }
}
