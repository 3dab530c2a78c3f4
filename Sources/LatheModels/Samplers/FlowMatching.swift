import Foundation
import LatheNN
import LatheTensors

/// Flow matching on codes that no longer change: N(0, I) is carried to the codes of training images
/// along a learned velocity.
///
/// Lipman et al., "Flow Matching for Generative Modeling", ICLR 2023, Section 4.1 (optimal
/// transport paths); Dao et al., "Flow Matching in Latent Space", 2023, whose direction of time
/// this is: t = 0 at a code, t = 1 at noise. Ours: fully connected layers, a higher rate, and codes
/// that have mean 0 and deviation 1 in each dimension first.
public struct FlowMatching: FittedSampler {
  public static let name = Sampler.Name.flow
  public static let mostCodes = 50_000
  public static let wantsDrawnCodes = true
  public static let isTrained = true

  /// Training steps; fewer where there are so few codes that they would be learned by heart.
  private static let mostSteps = 4000
  private static let mostPasses = 400
  /// Heun steps from noise to codes.
  static let drawingSteps = 50
  /// Codes that are drawn at a time.
  private static let chunk = 1000

  private let velocity: Velocity
  /// Of the codes, `[1, latentSize]`.
  private let mean, deviation: Tensor

  /// One code of each of at most 50,000 training images, drawn from q(z | x) where a model has a
  /// posterior.
  public static func fitted(to codes: CodeShares, using random: RandomSource) throws
    -> FlowMatching
  {
    guard codes.count > 1 else { throw SamplerError.tooFew(codes: codes.count, needed: 2) }
    let all = try codes.concatenated(\.codes)
    guard all.allSatisfy(\.isFinite) else { throw SamplerError.notFinite(name) }
    let values = Tensor(all.map { Float($0) }, shape: [codes.count, codes.latentSize])
    let deviation = sqrt(values.variance([0], keepingDimensions: true))
    guard deviation.values.allSatisfy(\.isFinite) else { throw SamplerError.notFinite(name) }
    let flow = FlowMatching(
      Velocity(latentSize: codes.latentSize), mean: values.mean([0], keepingDimensions: true),
      deviation: deviation)
    let batch = CodeTraining.slices * CodeTraining.sliceSize
    let steps = min(mostSteps, max(1, mostPasses * codes.count / batch))
    try codes.train(
      CodeTraining(flow.velocity.store, flow.phase, on: flow.standardized(values), steps: steps))
    return flow
  }

  private init(_ velocity: Velocity, mean: Tensor, deviation: Tensor) {
    (self.velocity, self.mean, self.deviation) = (velocity, mean, deviation)
  }

  /// (z − mean) / deviation; 0 where the deviation is 0.
  private func standardized(_ codes: Tensor) -> Tensor { (codes - mean) / (deviation + 1e-6) }

  // MARK: Training

  /// E ‖v(z_t, t) − (ε − z)‖² over the dimensions' number, z_t = (1 − t) z + t ε, t uniform.
  var phase: BoundPhase {
    BoundPhase(
      name: "flow matching", groups: [Velocity.group],
      rule: .adam(.constant(2e-3))
    ) { [velocity] batch in
      let codes = batch.images
      let times = batch.random.uniform("time", [codes.shape[0], 1])
      let noise = batch.random.normal("noise", codes.shape)
      let difference = velocity((1 - times) * codes + times * noise, times) - (noise - codes)
      return Losses((difference * difference).mean())
    }
  }

  // MARK: Drawing

  public var sampler: Sampler {
    Sampler(.flow) { [self] count, random in
      let noise = random.normal("noise", [count, mean.shape[1]])
      let parts = stride(from: 0, to: count, by: Self.chunk).map { first in
        let start = noise.slice(first..<min(first + Self.chunk, count), axis: 0)
        return Self.integrated(from: start, over: Self.drawingSteps) { codes, time in
          velocity(codes, Tensor(filledWith: time, shape: [codes.shape[0], 1]))
        }
      }
      return mean + deviation * concatenated(parts, axis: 0)
    }
  }

  /// z at t = 0, of dz/dt = velocity(z, t) from z at t = 1: Heun's method in equal steps.
  public static func integrated(
    from start: Tensor, over steps: Int, _ velocity: (_ codes: Tensor, _ time: Float) -> Tensor
  ) -> Tensor {
    let size = 1 / Float(steps)
    return (0..<steps).reduce(start) { codes, step in
      let time = 1 - Float(step) * size
      let first = velocity(codes, time)
      let second = velocity(codes - size * first, max(0, time - size))
      return codes - (0.5 * size) * (first + second)
    }
  }

  // MARK: Files

  public var tensors: [(name: String, value: Tensor)] {
    [("mean", mean), ("deviation", deviation)]
      + velocity.store.parameters.map { ($0.name, $0.value) }
  }

  public init(reading read: (String) throws -> Tensor) throws {
    mean = try Self.checked(try read("mean"), "mean", [1, 0])
    deviation = try Self.checked(try read("deviation"), "deviation", mean.shape.sizes)
    velocity = Velocity(latentSize: mean.shape[1])
    for parameter in velocity.store.parameters {
      let saved = try Self.checked(
        try read(parameter.name), parameter.name, parameter.shape.sizes)
      parameter.value.storage.pointer.update(
        from: saved.storage.pointer, count: saved.shape.count)
    }
  }
}

/// v(z, t): fully connected layers with ReLU, of z beside sines and cosines of t.
///
/// The waves are those of Vaswani et al., "Attention Is All You Need", NeurIPS 2017, Section 3.5,
/// at 1000 t.
private struct Velocity {
  static let group = "velocity"
  private static let hidden = [256, 256, 256]
  private static let waves = 32

  let store: ParameterStore
  private let network: MLP

  init(latentSize: Int) {
    store = ParameterStore(seed: 0)
    network = MLP(
      store.root(Self.group), inputs: latentSize + 2 * Self.waves, hidden: Self.hidden,
      outputs: latentSize)
    store.layOut()
  }

  /// Shapes: `[N, latentSize]`, `[N, 1]` in [0, 1] → `[N, latentSize]`.
  func callAsFunction(_ codes: Tensor, _ times: Tensor) -> Tensor {
    network(concatenated([codes, Self.waves(at: times)], axis: 1), mode: .training)
  }

  /// `[N, 1]` → `[N, 2 waves]`.
  private static func waves(at times: Tensor) -> Tensor {
    let frequencies = (0..<waves).map { 1000 * pow(10_000, -Float($0) / Float(waves)) }
    let angles = times.values.flatMap { time in frequencies.map { time * $0 } }
    let rows = times.shape[0]
    let parts = [sinf, cosf].map { Tensor(angles.map($0), shape: [rows, waves]) }
    return concatenated(parts, axis: 1)
  }
}
