import Foundation
import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct OptimizerTests {
  private func run(_ rule: OptimizerRule, gradients: [Float], start: Float = 1) -> [Float] {
    let store = ParameterStore(seed: 1)
    let parameter = store.root("a").parameter("weight", [1], .zeros)
    store.layOut()
    parameter.value.storage.pointer[0] = start
    let optimizer = Optimizer(rule, groups: ["a"], of: store)
    let flat = Arena(count: store.values.count)
    return gradients.enumerated().map { step, gradient in
      flat.pointer[parameter.range.lowerBound] = gradient
      #expect(optimizer.update(along: flat.pointer, scale: 1, step: step))
      return parameter.value.scalar
    }
  }

  @Test func adamInClosedForm() {
    // With constant gradients both corrected moments are constant: each step is the rate.
    let values = run(.adam(0.1), gradients: [3, 3, 3])
    expectClose(values, [0.9, 0.8, 0.7], relative: 1e-6)
    // β₁ = 0: the second step is along g₂ / √((β₂ (1 − β₂) g₁² + (1 − β₂) g₂²) / (1 − β₂²)).
    let second = run(.adam(0.1, beta1: 0, beta2: 0.9), gradients: [1, 2])
    let v = (0.9 * 0.1 * 1 + 0.1 * 4) / (1 - 0.81)
    expectClose(second, [0.9, 0.9 - 0.1 * 2 / Float(v.squareRoot())], relative: 1e-6)
  }

  @Test func rmsPropInTensorFlowsForm() {
    // The mean square starts at 1.
    let s1 = 0.9 + 0.1 * 4.0
    let s2 = 0.9 * s1 + 0.1 * 4.0
    let first = 1 - 0.1 * 2 / s1.squareRoot()
    expectClose(
      run(.rmsProp(0.1), gradients: [2, 2]),
      [Float(first), Float(first - 0.1 * 2 / s2.squareRoot())],
      relative: 1e-6)
    let b1 = 0.1 * 2 / s1.squareRoot()
    let b2 = 0.5 * b1 + 0.1 * 2 / s2.squareRoot()
    expectClose(
      run(.rmsProp(0.1, momentum: 0.5), gradients: [2, 2]), [Float(1 - b1), Float(1 - b1 - b2)],
      relative: 1e-6)
  }

  @Test func descent() {
    expectClose(run(.sgd(0.1), gradients: [1, 2]), [0.9, 0.7], relative: 1e-6)
    expectClose(run(.sgd(0.1, momentum: 0.5), gradients: [1, 2]), [0.9, 0.65], relative: 1e-6)
    expectClose(
      run(.sgd(0.1, momentum: 0.5, nesterov: true), gradients: [1, 2]), [0.85, 0.525],
      relative: 1e-6)
  }

  @Test func onlyItsGroupsMoveAndScaleCounts() {
    let store = ParameterStore(seed: 1)
    let (a, b) = (
      store.root("a").parameter("w", [2], .ones), store.root("b").parameter("w", [2], .ones)
    )
    store.layOut()
    let optimizer = Optimizer(.sgd(1.0), groups: ["b"], of: store)
    let flat = Arena(count: store.values.count)
    for index in 0..<flat.count { flat.pointer[index] = 4 }
    #expect(optimizer.update(along: flat.pointer, scale: 0.125, step: 0))
    #expect(a.value.values == [1, 1])
    #expect(b.value.values == [0.5, 0.5])
  }

  /// Whoever moves a value, and with which others, it gets the same bits.
  @Test(arguments: [
    OptimizerRule.adam(0.1), .rmsProp(0.1, momentum: 0.9), .sgd(0.1, momentum: 0.5),
  ]) func rangesMoveLikeTheWhole(_ rule: OptimizerRule) {
    func moved(_ update: (Optimizer, UnsafePointer<Float>, Int, ParameterStore) -> Bool) -> [Float]
    {
      let store = ParameterStore(seed: 1)
      let parameters = ["a", "b"].map {
        store.root($0).parameter("w", [1003], .uniform(1), constraint: .nonNegative)
      }
      store.layOut()
      let optimizer = Optimizer(rule, groups: ["b", "a"], of: store)
      let flat = Arena(count: store.values.count)
      for step in 0..<3 {
        for index in 0..<flat.count { flat.pointer[index] = Float((index * 7 + step) % 13 - 6) }
        #expect(update(optimizer, flat.pointer, step, store))
      }
      return parameters.flatMap(\.value.values)
    }
    let whole = moved { optimizer, gradients, step, _ in
      optimizer.update(along: gradients, scale: 1, step: step)
    }
    let parts = moved { optimizer, gradients, step, store in
      optimizer.beginUpdate()
      let (a, b) = (store.range(of: "a"), store.range(of: "b"))
      let cut = b.lowerBound + 368
      return [cut..<b.upperBound, a, b.lowerBound..<cut, cut..<cut].allSatisfy {
        optimizer.update($0, along: gradients, step: step)
      }
    }
    #expect(whole == parts && whole.contains { $0 > 0 })
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func badGradientsAreSeen(_ bad: Float) {
    for rule in [OptimizerRule.adam(0.1), .rmsProp(0.1), .sgd(0.1)] {
      let store = ParameterStore(seed: 1)
      _ = store.root("a").parameter("w", [1000], .ones)
      store.layOut()
      let flat = Arena(count: store.values.count)
      let optimizer = Optimizer(rule, groups: ["a"], of: store)
      #expect(optimizer.update(along: flat.pointer, scale: 1, step: 0))
      flat.pointer[777] = bad
      #expect(!optimizer.update(along: flat.pointer, scale: 1, step: 1))
    }
  }

  @Test func namesOfState() {
    let store = ParameterStore(seed: 1)
    _ = store.root("a").parameter("w", [2, 3], .ones)
    store.layOut()
    let optimizer = Optimizer(.adam(0.1), groups: ["a"], of: store)
    #expect(optimizer.tensors.map(\.name) == ["moment1/a.w", "moment2/a.w"])
    #expect(optimizer.tensors.map(\.shape) == [[2, 3], [2, 3]])
  }

  @Test func schedules() {
    #expect(
      [0, 9, 10, 25].map(Schedule.stepDecay(1, every: 10).callAsFunction) == [1, 1, 0.5, 0.25])
    #expect(
      [0, 5, 9].map(Schedule.milestones(1, [5: 0.5, 9: 0.1]).callAsFunction) == [1, 0.5, 0.05])
    expectClose([Schedule.exponentialDecay(1, total: 0.01, over: 100)(50)], [0.1], relative: 1e-5)
    #expect(Schedule.constant(3)(1_000_000) == 3)
  }
}
