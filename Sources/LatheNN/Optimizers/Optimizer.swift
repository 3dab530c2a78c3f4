import LatheFiles
import LatheKernels
import LatheTensors

/// A rule with its state for the groups that one phase updates.
public final class Optimizer {
  /// How the values are updated.
  public let rule: OptimizerRule
  /// The groups that it updates.
  public let groups: [String]
  /// Updates made so far.
  public private(set) var updates = 0
  private let store: ParameterStore
  /// For each group, a flat buffer for each of the rule's slots.
  private let state: [[Arena]]

  /// State as at the start of a run, for groups of a store that is laid out. `memory` gives memory
  /// for a range of the store's values, with the same number everywhere.
  public init(
    _ rule: OptimizerRule, groups: [String], of store: ParameterStore,
    memory: (_ range: Range<Int>, _ initial: Float) -> Arena = Arena.init(for:filledWith:)
  ) {
    self.rule = rule
    self.groups = groups
    self.store = store
    state = groups.map { group in
      rule.slots.map { memory(store.range(of: group), $0.initial) }
    }
  }

  /// How many values an optimizer of these groups keeps.
  public static func stateCount(
    _ rule: OptimizerRule, groups: [String], of store: ParameterStore
  ) -> Int {
    groups.reduce(0) { $0 + rule.slots.count * store.range(of: $1).count }
  }

  /// One update along flat `gradients`, which have the store's offsets and are multiplied by
  /// `scale` first.
  ///
  /// Returns whether all gradients of the groups were finite. Constraints hold afterwards.
  public func update(along gradients: UnsafePointer<Float>, scale: Float, step: Int) -> Bool {
    beginUpdate()
    let areFinite = groups.map {
      update(store.range(of: $0), along: gradients, scale: scale, step: step)
    }
    return areFinite.allSatisfy { $0 }
  }

  /// Counts one update more; `update` then makes it, range by range.
  public func beginUpdate() { updates += 1 }

  /// Makes the present update on a range within a group; returns whether all gradients there were
  /// finite.
  ///
  /// The learning rate is multiplied by `rateFactor`. Parameters shrink first by the learning rate
  /// times `weightDecay`: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR
  /// 2019. Gradients and constraints as for `update`.
  public func update(
    _ range: Range<Int>, along gradients: UnsafePointer<Float>, scale: Float = 1, step: Int,
    rateFactor: Float = 1, weightDecay: Float = 0
  ) -> Bool {
    guard !range.isEmpty else { return true }
    let group = groups.firstIndex { store.range(of: $0).contains(range.lowerBound) }
    guard let group else { trap("Optimizer: \(range) is not within \(groups)") }
    let place = range.lowerBound - store.range(of: groups[group]).lowerBound
    let rate = rule.rate(step) * rateFactor
    if weightDecay != 0 {
      LatheKernels.scale(
        store.values.pointer + range.lowerBound, by: 1 - rate * weightDecay, count: range.count)
    }
    let check = rule.update(
      store.values.pointer + range.lowerBound, along: gradients + range.lowerBound,
      state[group].map { $0.pointer + place }, count: range.count, rate: rate, update: updates,
      scale: scale)
    store.applyConstraints(in: range)
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
