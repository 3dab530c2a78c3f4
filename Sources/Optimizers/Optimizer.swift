import Kernels
import Layers
import Tensors

/// A rule with its state for the groups that one phase updates.
public final class Optimizer {
  /// How the values move.
  public let rule: OptimizerRule
  /// The groups that move.
  public let groups: [String]
  /// Updates made so far.
  public private(set) var updates = 0
  private let store: ParameterStore
  /// For each group, a flat buffer for each of the rule's slots.
  private let state: [[Arena]]

  /// State as at the start of a run, for groups of a store that is laid out.
  public init(_ rule: OptimizerRule, groups: [String], of store: ParameterStore) {
    self.rule = rule
    self.groups = groups
    self.store = store
    state = groups.map { group in
      rule.slots.map { slot in
        let arena = Arena(count: store.range(of: group).count)
        if slot.initial != 0 { Kernels.fill(arena.pointer, with: slot.initial, count: arena.count) }
        return arena
      }
    }
  }

  /// One update along flat `gradients`, which have the store's offsets and are multiplied by `scale` first.
  ///
  /// Returns whether all gradients of the groups were finite. Constraints hold afterwards.
  public func update(along gradients: UnsafePointer<Float>, scale: Float, step: Int) -> Bool {
    updates += 1
    var check: Float = 0
    for (group, arenas) in zip(groups, state) {
      let range = store.range(of: group)
      check += rule.move(
        store.values.pointer + range.lowerBound, along: gradients + range.lowerBound,
        arenas.map(\.pointer), count: range.count, step: step, update: updates, scale: scale)
    }
    store.applyConstraints(in: groups)
    return !check.isNaN
  }

  /// What a checkpoint saves: each slot's part for each parameter, as `slot/parameter`.
  public var tensors: [(name: String, shape: [Int], storage: Storage)] {
    zip(groups, state).flatMap { group, arenas in
      zip(rule.slots, arenas).flatMap { slot, arena in
        parameters(of: group).map { parameter in
          (
            "\(slot.name)/\(parameter.name)", parameter.shape.sizes,
            arena.storage(place(parameter, group))
          )
        }
      }
    }
  }

  /// Continues after `updates` updates; the tensors are loaded by whoever asked for them.
  public func resume(afterUpdates updates: Int) { self.updates = updates }

  private func parameters(of group: String) -> [Parameter] {
    let range = store.range(of: group)
    return store.parameters.filter { range.contains($0.range.lowerBound) }
  }

  private func place(_ parameter: Parameter, _ group: String) -> Range<Int> {
    let start = parameter.range.lowerBound - store.range(of: group).lowerBound
    return start..<start + parameter.range.count
  }
}
