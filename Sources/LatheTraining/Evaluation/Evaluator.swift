import LatheDistributed
import LatheData
import LatheModels
import LatheTensors

/// A look at the model in inference, on the test split.
public struct Evaluation {
  /// Steps made.
  public let step: Int
  /// Mean squared error per pixel and channel of the reconstructions, pixels in [0, 1].
  public let reconstructionError: Double
  /// Number of test images that were looked at: all of them at the end of a run.
  public let count: Int
  /// Some test images and what the model makes of them, `[n, H, W, C]`; rank 0 only.
  public let originals, reconstructions: Tensor?
  /// Images of codes from the run's sampler, `[n, H, W, C]`; rank 0 only.
  public let samples: Tensor?
}

/// Evaluates on all ranks: each test image once, whatever the number of ranks, and the same result.
struct Evaluator {
  private static let chunk = 100
  private let test: ImageSet
  private let world: Communicator
  private let random: RandomSource
  private let beat: () -> Void

  /// `beat` is called now and then, as a sign of life.
  init(test: ImageSet, world: Communicator, seed: UInt64, beat: @escaping () -> Void) {
    self.beat = beat
    self.test = test
    self.world = world
    random = RandomSource(seed: seed).derived("evaluation")
  }

  /// Looks at the first test images, at most `limit`. Collective.
  func evaluate(_ model: any Model, sampler: Sampler, step: Int, limit: Int) throws -> Evaluation {
    try withoutGradients {
      let count = min(limit, test.count)
      let chunks = (count + Evaluator.chunk - 1) / Evaluator.chunk
      let own = world.rank * chunks / world.size..<(world.rank + 1) * chunks / world.size
      let errors = own.flatMap { chunkErrors(model, $0, of: count) }
      let total = try sumInOrder(errors)
      let isLead = world.rank == 0
      let shown = isLead ? test.tensor(0..<min(64, test.count)) : nil
      return Evaluation(
        step: step, reconstructionError: total / Double(count * test.shape.count),
        count: count, originals: shown,
        reconstructions: shown.map { model.reconstruct($0, using: random.derived("shown")) },
        samples: isLead
          ? model.sample(64, from: sampler, using: random.derived("samples")) : nil)
    }
  }

  /// Squared error of each image of a chunk.
  private func chunkErrors(_ model: any Model, _ chunk: Int, of count: Int) -> [Double] {
    beat()
    let start = chunk * Evaluator.chunk
    let x = test.tensor(start..<min(start + Evaluator.chunk, count))
    let y = model.reconstruct(x, using: random.derived(chunk))
    return (x - y).squared.flattened.sum(1).values.map(Double.init)
  }

  /// The sum over all ranks' values in the order of the images.
  private func sumInOrder(_ errors: [Double]) throws -> Double {
    let bytes = errors.withUnsafeBytes { Array($0) }
    return try world.allGather(bytes).reduce(0) { sum, part in
      part.withUnsafeBytes { raw in
        stride(from: 0, to: raw.count, by: 8).reduce(sum) {
          $0 + raw.loadUnaligned(fromByteOffset: $1, as: Double.self)
        }
      }
    }
  }
}
