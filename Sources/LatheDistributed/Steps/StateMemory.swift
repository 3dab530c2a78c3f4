import LatheFiles
import LatheTensors

/// Memory for parameters and moments: one copy for all ranks of a host that share memory, each of
/// which moves its part; else each rank has its own and moves everything.
final class StateMemory {
  private let shared: SharedMemory?
  private var used = 0

  /// Room for `count` values, shared if that is wished and possible. Collective.
  init(count: Int, sharing: Bool, on world: Communicator) throws(MPIError) {
    shared = sharing ? try SharedMemory.make(world, count: count) : nil
  }

  /// Whether the ranks share it.
  var isShared: Bool { shared != nil }

  /// The next `count` values, a multiple of 16.
  func take(_ count: Int) -> Arena {
    guard let shared else { return Arena(count: count) }
    require(used + count <= shared.count, "StateMemory: no room for \(count) values")
    defer { used += count }
    return Arena(shared.pointer + used, count: count, owner: shared)
  }

  /// Whether the condition holds on every rank that shares the memory; behind it, each sees what
  /// all have written. Collective.
  func agree(_ condition: Bool) throws(MPIError) -> Bool {
    try shared?.agree(condition) ?? condition
  }

  /// Gives back what ranks share. Collective.
  func free() throws(MPIError) { try shared?.free() }
}
