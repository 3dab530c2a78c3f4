import LatheFiles
import LatheModels
import LatheNN
import LatheTensors

/// Memory for parameters and moments. Ranks of one host that share memory keep one copy, and each
/// updates its shard; else each rank has its own copy and updates all of it.
final class StateMemory {
  private let shared: SharedMemory?
  private var used = 0

  /// Room for the store's parameters, the moments of the phases' optimizers and a moving average if
  /// there is one, shared if that is wished and possible. Collective.
  init(
    _ store: ParameterStore, _ phases: [BoundPhase], averaging: Bool, sharing: Bool,
    on world: Communicator
  ) throws(MPIError) {
    let moments = phases.map { Optimizer.stateCount($0.rule, groups: $0.groups, of: store) }
    let count = moments.reduce((averaging ? 2 : 1) * store.values.count, +)
    shared = sharing ? try SharedMemory.make(world, count: count) : nil
  }

  /// Whether the ranks share it.
  var isShared: Bool { shared != nil }

  /// Moves the store's parameters into shared memory, if there is any, and makes each phase's
  /// optimizer.
  func adopt(
    _ store: ParameterStore, _ phases: [BoundPhase], on world: Communicator
  ) -> [(phase: String, optimizer: Optimizer)] {
    if isShared { store.move(to: take(store.values.count), copying: world.rank == 0) }
    return phases.map {
      ($0.name, Optimizer($0.rule, groups: $0.groups, of: store, memory: take))
    }
  }

  /// The next `count` values, a multiple of 16.
  func take(_ count: Int) -> Arena {
    guard let shared else { return Arena(count: count) }
    require(used + count <= shared.count, "StateMemory: no room for \(count) values")
    defer { used += count }
    return Arena(shared.pointer + used, count: count, owner: shared)
  }

  /// Whether the condition holds on every rank that shares the memory. It is a barrier, behind
  /// which each rank sees what all have written. Collective.
  func agree(_ condition: Bool) throws(MPIError) -> Bool {
    try shared?.agree(condition) ?? condition
  }

  /// Gives back what ranks share. Collective.
  func free() throws(MPIError) { try shared?.free() }
}
