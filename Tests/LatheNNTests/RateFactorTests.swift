import LatheNN
import LatheTensors
import TestSupport
import Testing

/// Factors of learning rates and moving averages, in closed form.
@Suite struct RateFactorTests {
  @Test func constantIsOne() {
    #expect([0, 1, 999_999].map { RateFactor()($0) } == [1, 1, 1])
  }

  @Test func warmUp() {
    let factor = RateFactor(.constant, warmUp: 4, over: 8)
    #expect((0..<6).map { factor($0) } == [0.25, 0.5, 0.75, 1, 1, 1])
  }

  @Test func shapes() {
    func values(_ shape: RateFactor.Shape) -> [Float] {
      let factor = RateFactor(shape, warmUp: 2, over: 10)
      return [2, 4, 6, 8, 10, 50].map { factor($0) }
    }
    expectClose(
      values(.cosine), [1, 0.853_553_4, 0.5, 0.146_446_6, 0, 0], relative: 0, absolute: 1e-6)
    expectClose(values(.linear), [1, 0.75, 0.5, 0.25, 0, 0], relative: 0, absolute: 1e-6)
    expectClose(values(.step), [1, 1, 0.1, 0.01, 0.01, 0.01], relative: 0, absolute: 1e-6)
  }

  /// Decoupled: without gradients p shrinks by rate · decay and Adam adds nothing.
  @Test func weightDecay() {
    let store = ParameterStore(seed: 1)
    let parameter = store.root("a").parameter("w", [3], .ones)
    store.layOut()
    let optimizer = Optimizer(.adam(0.1), groups: ["a"], of: store)
    let gradients = Arena(count: store.values.count)
    for step in 0..<3 {
      optimizer.beginUpdate()
      _ = optimizer.update(
        parameter.range, along: gradients.pointer, step: step, rateFactor: 0.5, weightDecay: 0.2)
    }
    let expected: Float = 0.99 * 0.99 * 0.99
    expectClose(parameter.value.values, [expected, expected, expected], relative: 1e-6)
  }

  /// After the first update the average is the value itself; then weights dⁱ, normalised.
  @Test func movingAverage() {
    let store = ParameterStore(seed: 1)
    let parameter = store.root("a").parameter("w", [1], .zeros)
    store.layOut()
    let average = MovingAverage(0.9, of: store)
    var found: [Float] = []
    for value in [3, 5, -2] as [Float] {
      parameter.value.storage.pointer[0] = value
      average.update([parameter.range])
      found.append(average.values.pointer[parameter.range.lowerBound])
    }
    let weights: [Float] = [0.81, 0.9, 1]
    let third = (3 * weights[0] + 5 * weights[1] - 2) / (0.81 + 0.9 + 1)
    expectClose(found, [3, (3 * 0.9 + 5) / 1.9, third], relative: 1e-6)
    average.swap([parameter.range])
    #expect(parameter.value.scalar == found[2])
    average.swap([parameter.range])
    #expect(parameter.value.scalar == -2)
  }
}
