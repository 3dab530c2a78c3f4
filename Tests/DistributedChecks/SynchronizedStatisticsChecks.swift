import LatheDistributed
import LatheData
import Glibc
import LatheNN
import LatheModels
import LatheTensors
import LatheTraining

/// A model in which everything couples the images of a batch: batch norm in both networks and under
/// a gradient of a gradient, MMD between codes and a prior, the variance of the codes. Its noise is
/// made of the images, so that the same images have the same noise however they are cut into
/// slices.
private struct CoupledModel {
  let store = ParameterStore(seed: 3)
  private let encoder: any EncoderNetwork
  private let decoder: any DecoderNetwork
  static let shape = ImageShape(height: 8, width: 8, channels: 1)
  static let latentSize = 5

  init() {
    let size = NetworkSize(filters: 2, hiddenSize: 12)
    encoder = Networks.flexaeConv.architecture.encoder(
      store.root("encoder"), images: Self.shape, outputs: Self.latentSize, size: size)
    decoder = Networks.flexaeConv.architecture.decoder(
      store.root("decoder"), images: Self.shape, latentSize: Self.latentSize, size: size)
    store.layOut()
  }

  var blocks: [BoundBlock] {
    let phases = [("coupled", coupledLoss), ("penalty", penaltyLoss)].map { name, loss in
      BoundPhase(
        name: name, groups: ["encoder", "decoder"],
        rule: .sgd(.constant(1e-2), momentum: 0.9), loss: loss)
    }
    return [BoundBlock(phases: phases)]
  }

  private func coupledLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .training)
    let error = squaredError(batch.images, decoder(codes, mode: .training))
    let all = batch.gathered(codes)
    let m = Self.latentSize
    let prior = batch.gathered(batch.images.flattened.slice(10..<10 + m, axis: 1) * 4 - 2)
    let mmd =
      kernel(all, all).mean() + kernel(prior, prior).mean() - 2 * kernel(all, prior).mean()
    // A term of this slice's rows against all: its mean over slices is that of the global batch.
    let attraction = kernel(codes, prior).mean()
    let spread = (all.variance(0) - 1).squared.sum()
    return Losses(
      error + 3 * mmd + 0.5 * spread - attraction,
      terms: ["error": error, "mmd": mmd, "spread": spread, "attraction": attraction])
  }

  /// The decoder's slope at the codes, with the statistics of the batch: the gradient of the sum of
  /// all outputs.
  private func penaltyLoss(_ batch: Batch) -> Losses {
    let codes = encoder(batch.images, mode: .trainingWithoutTracking)
    let y = decoder(codes, mode: .trainingWithoutTracking)
    let slope = gradients(of: y.squared.sum(), withRespectTo: [codes])[0]
    return Losses(slope.squared.sum(1).mean())
  }

  /// exp(−‖a − b‖² / m) of all pairs.
  private func kernel(_ a: Tensor, _ b: Tensor) -> Tensor {
    let squares =
      a.squared.sum(1, keepingDimensions: true) + b.squared.sum(1).reshaped(to: [1, b.shape[0]])
    return exp((squares - 2 * matmul(a, b.transposed())) * (-1 / Float(Self.latentSize)))
  }
}

private struct Outcome {
  var terms: [(name: String, value: Float)] = []
  var values: [Float]
  var buffers: [[Float]]

  /// The largest difference of terms, parameter updates and running statistics, each relative to
  /// the largest entry.
  func difference(from other: Outcome, start: Outcome) -> Double {
    func relative(_ a: [Float], _ b: [Float]) -> Double {
      let largest = b.map { abs($0) }.max() ?? 0
      return Double((zip(a, b).map { abs($0 - $1) }.max() ?? 0) / max(largest, 1e-20))
    }
    let updates = zip(values, start.values).map { $0 - $1 }
    let otherUpdates = zip(other.values, start.values).map { $0 - $1 }
    return max(
      zip(terms, other.terms).map { relative([$0.value], [$1.value]) }.max() ?? 0,
      relative(updates, otherUpdates), zip(buffers, other.buffers).map(relative).max() ?? 0)
  }
}

/// Steps from the same start on the same 16 images, in so many slices; both phases update all
/// parameters.
private func train(
  _ world: Communicator, slices: Int, _ statistics: BatchStatistics, steps: Int = 1
) throws -> Outcome {
  let model = CoupledModel()
  let random = RandomSource(seed: 9)
  let runner = try StepRunner(
    model.blocks, model.store, on: world, slices: slices, statistics: statistics, random: random)
  let images = random.uniform("images", [16, 8, 8, 1])
  let rows = 16 / slices
  var outcome = Outcome(values: [], buffers: [])
  for step in 0..<steps {
    outcome.terms = try runner.run(step: step) { _, slice in
      images.slice(slice * rows..<(slice + 1) * rows, axis: 0)
    }
  }
  let values = model.store.values
  outcome.values = Tensor(values.storage(0..<values.count), shape: [values.count]).values
  outcome.buffers = model.store.buffers.map(\.value.values)
  try runner.free()
  return outcome
}

/// Slices with synchronized statistics compute what one slice of the global batch does, and the
/// hash of all that they computed is reported, for comparison between numbers of ranks. Slices on
/// their own compute something else.
func synchronizedStatisticsCheck(_ world: Communicator) throws {
  let found = try train(world, slices: 4, .global)
  if world.size == 1 {
    let start = try train(world, slices: 1, .slice, steps: 0)
    let single = try train(world, slices: 1, .slice)
    let apart = try train(world, slices: 4, .slice)
    let (near, far) = (
      found.difference(from: single, start: start), apart.difference(from: single, start: start)
    )
    guard near < 1e-5 else {
      throw CheckFailure(description: "global: expected within 1e-5 of one slice, found \(near)")
    }
    guard far > 1e-2 else {
      throw CheckFailure(description: "slice: expected another result, found a distance of \(far)")
    }
    try refuseDifferentCollectives(world)
    print("distance from one slice: global \(near), slice \(far)")
  }
  let all = found.terms.map(\.value) + found.values + found.buffers.flatMap { $0 }
  report("hash \(all.withUnsafeBufferPointer { hash($0) })", world)
}

/// Slices that run other operations than the others are an error, not a deadlock.
private func refuseDifferentCollectives(_ world: Communicator) throws {
  let store = ParameterStore(seed: 1)
  let weight = store.root("group").parameter("weight", [1], .ones)
  store.layOut()
  let phase = BoundPhase(
    name: "apart", groups: ["group"], rule: .sgd(.constant(1)),
    loss: { batch in
      let x = batch.images.sum() * weight.value.sum()
      return Losses(batch.images.values[0] > 0 ? batch.gathered(x.reshaped(to: [1])).sum() : x)
    })
  let runner = try StepRunner(
    [BoundBlock(phases: [phase])], store, on: world, slices: 2, statistics: .global,
    random: RandomSource(seed: 1))
  let error = try expectError("slices that call different collectives") {
    _ = try runner.run(step: 0) { _, slice in Tensor(filledWith: Float(slice), shape: [1]) }
  }
  try expectEqual("\(error)".contains("call different collectives"), true, "\(error)")
}
