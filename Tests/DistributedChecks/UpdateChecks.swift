import Foundation
import LatheDistributed
import LatheKernels
import LatheModels
import LatheNN
import LatheTensors

/// A phase whose gradient is known, c · the mean of the images, and what it does to its parameters
/// under a run's options.
private struct KnownGradient {
  private static let sizes = [100_000, 7, 33]
  let store = ParameterStore(seed: 5)
  private let parameters: [Parameter]
  private let coefficients: [Tensor]

  init() {
    let scope = store.root("known")
    parameters = Self.sizes.enumerated().map { scope.parameter("w\($0)", [$1], .uniform(0.5)) }
    store.layOut()
    coefficients = Self.sizes.map {
      RandomSource(seed: 6).derived($0).normal("c", [$0])
    }
  }

  var values: [Float] { parameters.flatMap { $0.value.values } }
  var gradients: [Float] { coefficients.flatMap { $0.values } }

  var blocks: [BoundBlock] {
    let phase = BoundPhase(name: "known", groups: ["known"], rule: .sgd(0.25)) { batch in
      let sums = zip(parameters, coefficients).map { ($0.value * $1).sum() }
      return Losses(sums.reduce(Tensor(filledWith: 0, shape: []), +) * batch.images.mean())
    }
    return [BoundBlock(phases: [phase])]
  }
}

/// Clipping, decay, schedule and moving average against their closed forms, and the hash of what
/// they made, for comparison between numbers of ranks.
func updatesCheck(_ world: Communicator) throws {
  var hashes: [UInt64] = []
  for overlap in [Overlap.off, .on] {
    let model = KnownGradient()
    var options = UpdateOptions()
    (options.clipNorm, options.weightDecay, options.averageDecay) = (2, 0.1, 0.6)
    options.rateFactor = RateFactor(.cosine, warmUp: 1, over: 5)
    let runner = try StepRunner(
      model.blocks, model.store, on: world, slices: 4, overlap: overlap,
      random: RandomSource(seed: 1), updates: options)
    let (expected, norm) = expectation(model, options, steps: 4)
    for step in 0..<4 {
      _ = try runner.run(step: step) { _, _ in Tensor(filledWith: 1, shape: [2]) }
    }
    try expectClose(runner.norms[0].norm, Float(norm), "norm")
    try expectClose(
      runner.rates(step: 3)[0].rate, 0.25 * RateFactor(.cosine, warmUp: 1, over: 5)(3), "rate")
    let last = model.values
    for (found, value) in zip(last, expected.values) { try expectClose(found, value, "parameter") }
    let average = try runner.withAverage { model.values }
    for (found, value) in zip(average, expected.average) {
      try expectClose(found, value, "average")
    }
    try expectEqual(model.values, last, "parameters after the exchange")
    hashes.append((last + average + [runner.norms[0].norm]).withUnsafeBufferPointer { hash($0) })
    try runner.free()
  }
  try expectEqual(hashes[1], hashes[0], "bits with overlap")
  report("hash \(hashes[0])", world)
}

/// p ← (1 − r d) p − r c min(1, L / ‖c‖) with r = 0.25 · factor, and a ← a + (1 − β) / (1 − βᵗ)
/// (p − a).
private func expectation(
  _ model: KnownGradient, _ options: UpdateOptions, steps: Int
) -> (expected: (values: [Float], average: [Float]), norm: Double) {
  let c = model.gradients.map(Double.init)
  let norm = c.reduce(0) { $0 + $1 * $1 }.squareRoot()
  var (p, a) = (model.values.map(Double.init), [Double](repeating: 0, count: c.count))
  for step in 0..<steps {
    let rate = 0.25 * Double(options.rateFactor(step))
    let weight = (1 - 0.6) / (1 - pow(0.6, Double(step + 1)))
    for i in c.indices {
      p[i] = (1 - rate * Double(options.weightDecay)) * p[i] - rate * c[i] * min(1, 2 / norm)
      a[i] += weight * (p[i] - a[i])
    }
  }
  return ((p.map { Float($0) }, a.map { Float($0) }), norm)
}

private func expectClose(_ found: Float, _ expected: Float, _ what: String) throws {
  guard abs(found - expected) <= 1e-6 * max(1, abs(expected)) else {
    throw CheckFailure(description: "\(what): expected \(expected), found \(found)")
  }
}
