import LatheKernels
import Testing

/// Parameters, gradients and state of one update.
private struct State {
  var p = Numbers.array(1003, seed: 1)
  let g = Numbers.array(1003, seed: 2)
  var m = Numbers.array(1003, seed: 3)
  var v = Numbers.array(1003, seed: 4).map { abs($0) }
  let count = 1003
}

extension AllKernels {
  @Suite struct UpdatesTests {
    @Test func adamFollowsItsEquations() {
      var s = State()
      let before = s
      let flag = adam(
        &s.p, s.g, &s.m, &s.v, count: s.count, learningRate: 0.01, beta1: 0.9, beta2: 0.99,
        epsilon: 1e-3, gradientScale: 0.5)
      let (b1, b2, rate, epsilon) = (Double(Float(0.9)), Double(Float(0.99)), 0.01, 1e-3)
      let h = s.g.map { 0.5 * Double($0) }
      let m = h.indices.map { b1 * Double(before.m[$0]) + (1 - b1) * h[$0] }
      let v = h.indices.map { b2 * Double(before.v[$0]) + (1 - b2) * h[$0] * h[$0] }
      let p = h.indices.map {
        Double(before.p[$0]) - rate * m[$0] / (v[$0].squareRoot() + epsilon)
      }
      #expect(flag == 0)
      #expect(worstError(s.m, m) < 2e-7)
      #expect(worstError(s.v, v) < 2e-7)
      #expect(worstError(s.p, p) < 2e-7)
    }

    /// From zero moments, the first bias-corrected step is learning rate × sign of the gradient.
    @Test func firstStepOfAdamIsTheLearningRate() {
      var (p, m, v): ([Float], [Float], [Float]) = ([0, 0], [0, 0], [0, 0])
      let corrected = 0.1 * (1 - Float(0.999)).squareRoot() / (1 - 0.9)
      _ = adam(
        &p, [3, -0.02], &m, &v, count: 2, learningRate: corrected, beta1: 0.9, beta2: 0.999,
        epsilon: 0, gradientScale: 1)
      #expect(worstError(p, [-0.1, 0.1]) < 1e-6)
    }

    @Test(arguments: [true, false]) func rmsPropFollowsItsEquations(_ hasMomentum: Bool) {
      var s = State()
      let before = s
      let flag = s.m.withUnsafeMutableBufferPointer { m in
        rmsProp(
          &s.p, s.g, &s.v, hasMomentum ? m.baseAddress : nil, count: s.count, learningRate: 0.01,
          decay: 0.9, momentumFactor: 0.8, epsilon: 1e-3, gradientScale: 2)
      }
      let h = s.g.map { 2 * Double($0) }
      let v = h.indices.map { 0.9 * Double(before.v[$0]) + 0.1 * h[$0] * h[$0] }
      let u = h.indices.map {
        (hasMomentum ? 0.8 * Double(before.m[$0]) : 0) + 0.01 * h[$0] / (v[$0] + 1e-3).squareRoot()
      }
      #expect(flag == 0)
      #expect(worstError(s.v, v) < 5e-7)
      #expect(worstError(s.m, hasMomentum ? u : doubles(before.m)) < 5e-7)
      #expect(worstError(s.p, u.indices.map { Double(before.p[$0]) - u[$0] }) < 5e-7)
    }

    @Test(arguments: [true, false]) func momentumFollowsItsEquations(_ nesterov: Bool) {
      var s = State()
      let before = s
      let flag = momentumDescent(
        &s.p, s.g, &s.m, count: s.count, learningRate: 0.1, momentum: 0.75, nesterov: nesterov,
        gradientScale: 2)
      let h = s.g.map { 2 * Double($0) }
      let m = h.indices.map { 0.75 * Double(before.m[$0]) + h[$0] }
      let p = h.indices.map {
        Double(before.p[$0]) - 0.1 * (nesterov ? h[$0] + 0.75 * m[$0] : m[$0])
      }
      #expect(flag == 0)
      #expect(worstError(s.m, m) < 2e-7)
      #expect(worstError(s.p, p) < 2e-7)
    }

    @Test func descentWithoutVelocity() {
      var p: [Float] = [1, 2]
      let flag = momentumDescent(
        &p, [1, -2], nil, count: 2, learningRate: 0.5, momentum: 0.9, nesterov: true,
        gradientScale: 1)
      #expect(flag == 0)
      #expect(p == [0.5, 3])
    }

    @Test(arguments: [Float.nan, .infinity]) func oneWrongGradientIsReported(_ wrong: Float) {
      let count = 150_000
      var g = Numbers.array(count)
      g[140_001] = wrong
      var (p, m, v) = (g, g.map { _ in Float(0) }, g.map { _ in Float(0) })
      let flags = [
        adam(
          &p, g, &m, &v, count: count, learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1,
          gradientScale: 1),
        rmsProp(
          &p, g, &v, nil, count: count, learningRate: 0.1, decay: 0.9, momentumFactor: 0,
          epsilon: 1,
          gradientScale: 1),
        momentumDescent(
          &p, g, &m, count: count, learningRate: 0.1, momentum: 0.9, nesterov: false,
          gradientScale: 1),
      ]
      #expect(flags.allSatisfy { $0.isNaN })
    }
  }
}
