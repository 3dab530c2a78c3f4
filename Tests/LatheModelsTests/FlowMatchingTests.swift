import Foundation
import LatheModels
import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct FlowMatchingTests {
  /// Trains in this process, as one slice of all codes of a step.
  private func train(_ training: CodeTraining) {
    let store = training.store
    let (gradients, updates) = (Arena(count: store.values.count), Arena(count: 16))
    let groups = training.phase.groups
    let optimizer = Optimizer(training.phase.rule, groups: groups, of: store)
    let random = RandomSource(seed: 4)
    let rate = RateFactor(.cosine, over: training.steps)
    for step in 0..<training.steps {
      store.bindGradientBuffers(
        of: groups, gradients: gradients.pointer, statisticsUpdates: updates.pointer,
        owner: gradients)
      let codes = concatenated(
        (0..<CodeTraining.slices).map { training.batch(step, $0, from: random) }, axis: 0)
      let batch = Batch(images: codes, random: random.derived(step), step: step)
      backpropagate(training.phase.loss(batch).total, into: store.variables(of: groups))
      store.unbindGradientBuffers()
      optimizer.beginUpdate()
      _ = optimizer.update(
        store.range(of: groups[0]), along: gradients.pointer, step: step, rateFactor: rate(step))
    }
  }

  private func fitted(_ codes: Tensor) throws -> FlowMatching {
    let shares = CodeShares(
      codes.values.map { Double($0) }, latentSize: codes.shape[1], train: train)
    return try FlowMatching.fitted(to: shares, using: RandomSource(seed: 5))
  }

  /// Two clusters of a plane, and a dimension that is closed: as many draws in each as it has
  /// codes, of its place and width.
  @Test func drawsHaveTheClustersOfTheCodes() throws {
    let random = RandomSource(seed: 3)
    let noise = random.normal("noise", [1200, 2]).values
    let rows = (0..<1200).map { row -> [Float] in
      let centre: Float = row % 4 == 0 ? 6 : -2
      return [centre + 0.5 * noise[2 * row], 3 + 0.2 * noise[2 * row + 1], 7]
    }
    let flow = try fitted(Tensor(rows.flatMap { $0 }, shape: [1200, 3]))
    let drawn = flow.sampler.draw(4000, random)
    #expect(flow.sampler.name == .flow && drawn.shape == [4000, 3])
    let points = stride(from: 0, to: 12000, by: 3).map { Array(drawn.values[$0..<$0 + 3]) }
    let right = points.filter { $0[0] > 2 }
    #expect(abs(Double(right.count) / 4000 - 0.25) < 0.03, "\(right.count)")
    for (cluster, centre) in [(right, 6.0), (points.filter { $0[0] <= 2 }, -2)] {
      expectQuartiles(cluster.map { Double($0[0]) }, mean: centre, deviation: 0.5)
      expectQuartiles(cluster.map { Double($0[1]) }, mean: 3, deviation: 0.2)
    }
    #expect(points.allSatisfy { abs($0[2] - 7) < 1e-3 })
  }

  /// Those of a normal distribution, to a quarter of its deviation: the few draws between clusters
  /// do not count.
  private func expectQuartiles(_ values: [Double], mean: Double, deviation: Double) {
    let sorted = values.sorted()
    for (share, quantile) in [(0.25, -0.6745), (0.5, 0), (0.75, 0.6745)] {
      let found = sorted[Int(share * Double(sorted.count))]
      #expect(abs(found - mean - quantile * deviation) < 0.25 * deviation, "\(share): \(found)")
    }
  }

  /// A saved one draws the same; what is not one is named.
  @Test func isSavedWhole() throws {
    let random = RandomSource(seed: 6)
    let flow = try fitted(random.normal("codes", [20, 2]))
    let saved = Dictionary(uniqueKeysWithValues: flow.tensors.map { ($0.name, $0.value) })
    let again = try FlowMatching { saved[$0]! }.sampler
    #expect(again.draw(1500, random).values == flow.sampler.draw(1500, random).values)
    #expect {
      try FlowMatching { $0 == "mean" ? saved["mean"]! : Tensor(filledWith: 1, shape: [1, 3]) }
    } throws: { "\($0)".hasPrefix("sampler flow: deviation: expected [1, 2]") }
    #expect(throws: SamplerError.self) { try fitted(Tensor(filledWith: .nan, shape: [9, 2])) }
    #expect(throws: SamplerError.self) { try fitted(Tensor(filledWith: 1, shape: [1, 2])) }
    #expect(throws: SamplerError.self) { try fitted(Tensor([1e30, -1e30, 0], shape: [3, 1])) }
  }

  /// Heun's method on dz/dt = z + t, whose solution is z = C eᵗ − t − 1: its error falls with the
  /// square of the steps' size.
  @Test func integrationIsOfSecondOrder() {
    let start = Tensor(filledWith: Float(M_E) - 2, shape: [1, 1])
    let errors = [10, 20].map { steps in
      abs(FlowMatching.integrated(from: start, over: steps) { $0 + $1 }.scalar)
    }
    #expect(errors[0] < 5e-3 && errors[0] / errors[1] > 3.5 && errors[0] / errors[1] < 4.6)
  }
}
