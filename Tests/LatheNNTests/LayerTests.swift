import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct LayerTests {
  @Test func linear() {
    let store = ParameterStore(seed: 1)
    let layer = Linear(store.root("a"), inputs: 2, outputs: 3, biasInitializer: .ones)
    store.layOut()
    let w = layer.weight.value.values
    let y = layer(Tensor([1, 2], shape: [1, 2]), mode: .inference).values
    expectClose(y, (0..<3).map { w[$0] + 2 * w[3 + $0] + 1 }, relative: 1e-6)
  }

  @Test func convolutionsAddTheirBias() {
    let store = ParameterStore(seed: 1)
    let conv = Convolution(
      store.root("a"), inputs: 1, outputs: 2, kernel: 4, stride: 2, biasInitializer: .ones)
    let back = TransposedConvolution(store.root("b"), inputs: 2, outputs: 1, kernel: 4, stride: 2)
    store.layOut()
    let zeros = Tensor(filledWith: 0, shape: [3, 8, 8, 1])
    #expect(conv(zeros, mode: .inference).shape == [3, 4, 4, 2])
    #expect(conv(zeros, mode: .inference).values.allSatisfy { $0 == 1 })
    #expect(back(conv(zeros, mode: .inference), mode: .inference).shape == [3, 8, 8, 1])
  }

  @Test func batchNormInInferenceUsesRunningStatistics() {
    let store = ParameterStore(seed: 1)
    let norm = BatchNorm(store.root("a"), channels: 2, convention: .pyTorch)
    store.layOut()
    let x = Tensor([3, -3, 5, 7], shape: [2, 2])
    expectClose(norm(x, mode: .inference), x, relative: 1e-5)
    expectClose(
      norm(x, mode: .inference, relu: true), [3, 0, 5, 7], shape: [2, 2], relative: 1e-5)
    expectClose(norm(x, mode: .training), [-1, -1, 1, 1], shape: [2, 2], relative: 1e-4)
  }

  /// A batch norm of one channel after one training pass over x.
  private func trained(_ convention: BatchNorm.Convention, on x: Tensor) -> BatchNorm {
    let store = ParameterStore(seed: 1)
    let norm = BatchNorm(store.root("a"), channels: 1, convention: convention)
    store.layOut()
    let (g, o) = (Arena(count: store.values.count), Arena(count: store.bufferValues.count))
    store.bindGradientBuffers(of: [], gradients: g.pointer, statisticsUpdates: o.pointer, owner: g)
    _ = norm(x, mode: .training)
    store.unbindGradientBuffers()
    store.updateRunningStatistics(from: o.pointer, slices: 1)
    return norm
  }

  @Test func unbiasedVariance() {
    let x = Tensor([0, 2, 4, 6], shape: [4, 1])
    func running(_ convention: BatchNorm.Convention) -> [Float] {
      trained(convention, on: x).runningVariance.value.values
    }
    // Variance 5 of the batch, 20/3 of a sample.
    expectClose(running(.pyTorch), [0.1 * 20 / 3], relative: 1e-6)
    expectClose(running(.tensorFlow), [0.01 * 5], relative: 1e-6)
  }

  @Test func inferenceAfterOnePassIsFreeOfTheFirstValues() {
    let x = Tensor([0, 2, 4, 6], shape: [4, 1])
    let norm = trained(.tensorFlow, on: x)
    expectClose(norm.biasCorrection.value.values, [0.99], relative: 1e-6)
    expectClose(norm(x, mode: .inference), norm(x, mode: .training), relative: 1e-4)
  }

  /// After many iterations σ is the largest singular value, so the normalised weight's is 1.
  @Test func spectralNormalisation() {
    let store = ParameterStore(seed: 1)
    let layer = Linear(
      store.root("a"), inputs: 3, outputs: 2, initializer: .zeros, spectrallyNormalized: true)
    store.layOut()
    // Singular values 4 and 2.
    let weight: [Float] = [4, 0, 0, 2, 0, 0]
    layer.weight.value.storage.pointer.update(from: weight, count: 6)
    let (g, o) = (Arena(count: store.values.count), Arena(count: store.bufferValues.count))
    for _ in 0..<30 {
      store.bindGradientBuffers(
        of: [], gradients: g.pointer, statisticsUpdates: o.pointer, owner: g)
      _ = layer(Tensor(filledWith: 1, shape: [1, 3]), mode: .training)
      store.unbindGradientBuffers()
      store.updateRunningStatistics(from: o.pointer, slices: 1)
    }
    let y = layer(Tensor([1, 1, 1], shape: [1, 3]), mode: .inference)
    expectClose(y, [1, 0.5], shape: [1, 2], relative: 1e-5)
  }

  @Test func mlpIsItsLayers() {
    let store = ParameterStore(seed: 1)
    let mlp = MLP(store.root("critic"), inputs: 4, hidden: [8, 6], outputs: 1)
    store.layOut()
    #expect(store.parameterCount() == 4 * 8 + 8 + 8 * 6 + 6 + 6 + 1)
    #expect(store.parameters.map(\.name).last == "critic.output.bias")
    let x = RandomSource(seed: 1).normal("x", [3, 4])
    func linear(_ x: Tensor, _ i: Int) -> Tensor {
      matmul(x, store.parameters[2 * i].value) + store.parameters[2 * i + 1].value
    }
    expectClose(
      mlp(x, mode: .inference), linear(relu(linear(relu(linear(x, 0)), 1)), 2), relative: 1e-6)
  }

  @Test func losses() {
    let (x, y) = (
      Tensor([0, 1, 1, 0], shape: [2, 2]), Tensor([0.5, 0.5, 1, 0.25], shape: [2, 2])
    )
    expectClose(squaredError(x, y), [(0.5 + 0.0625) / 2], shape: [], relative: 1e-6)
    expectClose(
      crossEntropy(x, probability: y), [(2 * 0.693_147_2 + 0.287_682_1) / 2], shape: [],
      relative: 1e-6)
    // KL(N(1, 2²) ‖ N(0, 1)) = ½ (1 + 4 − 2 log 2 − 1).
    let kl = normalKL(
      mean: Tensor([1], shape: [1, 1]), standardDeviation: Tensor([2], shape: [1, 1]))
    expectClose(kl, [0.5 * (4 - 2 * 0.693_147_2)], shape: [], relative: 1e-6)
  }

  /// For a linear critic with slope w the penalty is (‖w‖ − 1)² at every point.
  @Test func gradientPenaltyOfALine() {
    let w = Tensor([3, 4], shape: [2, 1]).differentiable()
    let penalty = gradientPenalty(of: { matmul($0, w) }, at: Tensor([1, 2, 3, 4], shape: [2, 2]))
    expectClose(penalty, [16], shape: [], relative: 1e-6)
    // d/dw (‖w‖ − 1)² = 2 (‖w‖ − 1) w / ‖w‖.
    expectClose(
      gradients(of: penalty, withRespectTo: [w])[0], [4.8, 6.4], shape: [2, 1], relative: 1e-6)
  }
}
