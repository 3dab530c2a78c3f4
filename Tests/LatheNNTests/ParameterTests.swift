import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct ParameterTests {
  private func store(_ seed: UInt64 = 1, reversed: Bool = false) -> ParameterStore {
    let store = ParameterStore(seed: seed)
    let scopes = ["encoder", "decoder"]
    for name in reversed ? scopes.reversed() : scopes {
      _ = Linear(store.root(name)("hidden"), inputs: 3, outputs: 5)
      _ = BatchNorm(store.root(name)("norm"), channels: 5, convention: .tensorFlow)
    }
    store.layOut()
    return store
  }

  @Test func namesAndPlaces() {
    let store = store()
    #expect(
      store.parameters.map(\.name).prefix(4) == [
        "encoder.hidden.weight", "encoder.hidden.bias", "encoder.norm.gamma", "encoder.norm.beta",
      ])
    #expect(
      store.buffers.map(\.name).prefix(2) == [
        "encoder.norm.running_mean", "encoder.norm.running_var",
      ])
    #expect(store.parameterCount() == 2 * (15 + 5 + 5 + 5))
    #expect(store.parameterCount(of: "decoder") == 30)
    #expect(store.groupNames == ["encoder", "decoder"])
    #expect(store.range(of: "encoder").upperBound == store.range(of: "decoder").lowerBound)
    for parameter in store.parameters { #expect(parameter.range.lowerBound % 16 == 0) }
  }

  @Test func valuesDependOnSeedAndNameOnly() {
    func weight(_ store: ParameterStore) -> [Float] {
      store.parameters.first { $0.name == "decoder.hidden.weight" }!.value.values
    }
    #expect(weight(store()) == weight(store(reversed: true)))
    #expect(weight(store()) != weight(store(2)))
    let encoder = store().parameters.first { $0.name == "encoder.hidden.weight" }!.value.values
    #expect(weight(store()) != encoder)
  }

  @Test func gradientsGoToTheStoresOffsets() {
    let store = store()
    let gradients = Arena(count: store.values.count)
    let statisticsUpdates = Arena(count: store.bufferValues.count)
    store.bindGradientBuffers(
      of: ["decoder"], gradients: gradients.pointer, statisticsUpdates: statisticsUpdates.pointer,
      owner: gradients)
    let weight = store.parameters.first { $0.name == "decoder.hidden.weight" }!
    let frozen = store.parameters.first { $0.name == "encoder.hidden.weight" }!
    #expect(!frozen.value.isDifferentiable)
    let loss = (weight.value * 2).sum() + frozen.value.sum()
    backpropagate(loss, into: store.variables(of: ["decoder"]))
    store.unbindGradientBuffers()
    let values = Array(UnsafeBufferPointer(start: gradients.pointer, count: gradients.count))
    #expect(Array(values[weight.range]) == [Float](repeating: 2, count: 15))
    #expect(values.reduce(0, +) == 30)
  }

  @Test func buffersMoveByTheMeanOverSlices() {
    let store = ParameterStore(seed: 1)
    let norm = BatchNorm(
      store.root("encoder"), channels: 1,
      convention: BatchNorm.Convention(momentum: 0.75, epsilon: 0, isUnbiased: false))
    store.layOut()
    let (gradients, total) = (
      Arena(count: store.values.count), Arena(count: store.bufferValues.count)
    )
    for images: [Float] in [[1, 3], [5, 11]] {  // means 2 and 8, variances 1 and 9
      let statisticsUpdates = Arena(count: store.bufferValues.count)
      store.bindGradientBuffers(
        of: [], gradients: gradients.pointer, statisticsUpdates: statisticsUpdates.pointer,
        owner: gradients)
      _ = norm(Tensor(images, shape: [2, 1]), mode: .trainingWithoutTracking)
      _ = norm(Tensor(images, shape: [2, 1]), mode: .training)
      for index in 0..<total.count { total.pointer[index] += statisticsUpdates.pointer[index] }
      store.unbindGradientBuffers()
    }
    store.updateRunningStatistics(from: total.pointer, slices: 2)
    #expect(norm.runningMean.value.values == [0.25 * 5])
    #expect(norm.runningVariance.value.values == [0.25 * 5])
  }

  @Test func parametersMoveToOtherMemory() {
    let store = ParameterStore(seed: 1)
    let weight = store.root("a").parameter("weight", [5, 7], .uniform(1))
    store.layOut()
    let before = weight.value.values
    let memory = Arena(count: store.values.count)
    store.move(to: memory, copying: true)
    #expect(weight.value.values == before)
    memory.pointer[weight.range.lowerBound + 3] = 42
    #expect(weight.value.values[3] == 42 && store.values === memory)
    let other = Arena(count: memory.count)
    store.move(to: other, copying: false)
    #expect(weight.value.values == [Float](repeating: 0, count: 35))
  }

  @Test func constraintsHold() {
    let store = ParameterStore(seed: 1)
    let mask = store.root("mask").parameter("weight", [40], .uniform(1), constraint: .nonNegative)
    let free = store.root("mask").parameter("other", [40], .uniform(1))
    store.layOut()
    let (before, other) = (mask.value.values, free.value.values)
    store.applyConstraints(in: free.range)
    #expect(mask.value.values == before)
    store.applyConstraints(in: mask.range.lowerBound..<mask.range.lowerBound + 20)
    #expect(mask.value.values == before.prefix(20).map { max($0, 0) } + before.suffix(20))
    store.applyConstraints(in: store.range(of: "mask"))
    #expect(mask.value.values == before.map { max($0, 0) })
    #expect(before.prefix(20).contains { $0 < 0 } && before.suffix(20).contains { $0 < 0 })
    #expect(free.value.values == other)
  }

  @Test(
    arguments: [
      (Initializer.uniform(0.5), 0, Float(0.25 / 3)),
      (.normal(mean: 2, standardDeviation: 0.5), 2, 0.25),
      (.truncatedNormal(standardDeviation: 0.1), 0, 0.01 * 0.879_625_66 * 0.879_625_66),
      (.glorotUniform, 0, 2.0 / 700), (.glorotNormal, 0, 2.0 / 700), (.zeros, 0, 0), (.ones, 1, 0),
    ] as [(Initializer, Float, Float)])
  func initializerMoments(_ initializer: Initializer, _ mean: Float, _ variance: Float) {
    let store = ParameterStore(seed: 3)
    let parameter = store.root("a").parameter("weight", [300, 400], initializer)
    store.layOut()
    // Five standard errors of 120,000 draws.
    expectClose(
      [parameter.value.mean().scalar], [mean], relative: 0,
      absolute: 5 * (variance / 120_000).squareRoot())
    expectClose([parameter.value.variance().scalar], [variance], relative: 0.03)
  }

  @Test func truncationIsAtTwoDeviations() {
    let store = ParameterStore(seed: 3)
    let parameter = store.root("a").parameter(
      "weight", [100_000], .truncatedNormal(standardDeviation: 0.5))
    store.layOut()
    let largest = abs(parameter.value).max().scalar
    #expect(largest <= 1 && largest > 0.99)
  }

  @Test func biasFansAreTwiceTheSize() {
    let store = ParameterStore(seed: 3)
    let bias = store.root("a").parameter("bias", [3000], .glorotUniform)
    store.layOut()
    let limit = (3.0 / 3000 as Float).squareRoot()
    #expect(abs(bias.value).max().scalar <= limit && abs(bias.value).max().scalar > 0.99 * limit)
  }
}
