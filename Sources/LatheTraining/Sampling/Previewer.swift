import LatheDistributed
import LatheData
import LatheModels
import LatheTensors

/// What a model makes of test images and of draws from its sampler, in inference mode.
public struct Preview {
  /// Steps made.
  public let step: Int
  /// Whether it is the last of the run.
  public let isLast: Bool
  /// Mean squared error per pixel and channel of the reconstructions, pixels in [0, 1].
  public let reconstructionError: Double
  /// Number of test images that were reconstructed, and how many there are.
  public let count, testCount: Int
  /// How many codes of training images the sampler was fitted to, of how many; nil for one that
  /// needs no fit.
  public let codes: (fitted: Int, all: Int)?
  /// Some test images and what the model makes of them, `[n, H, W, C]`; rank 0 only.
  public let originals, reconstructions: Tensor?
  /// Images of codes from the run's sampler, `[n, H, W, C]`; rank 0 only.
  public let samples: Tensor?
}

/// A sampler, and how many codes of training images it was fitted to, of how many.
struct PreviewSampler {
  let sampler: Sampler
  var codes: (fitted: Int, all: Int)?
}

/// Makes previews on all ranks: each test image once, and the same bits on any number of ranks.
struct Previewer {
  private static let chunk = 100
  private let test: ImageSet
  private let world: Communicator
  private let random: RandomSource

  init(test: ImageSet, world: Communicator, seed: UInt64) {
    self.test = test
    self.world = world
    random = RandomSource(seed: seed).derived("evaluation")
  }

  /// Reconstructs the first `count` test images, and draws samples. Collective.
  func preview(
    _ model: any Model, _ fitted: PreviewSampler, step: Int, isLast: Bool, count: Int,
    progress: Progress
  ) throws -> Preview {
    try withoutGradients {
      let chunks = (count + Previewer.chunk - 1) / Previewer.chunk
      let own = world.rank * chunks / world.size..<(world.rank + 1) * chunks / world.size
      let errors = own.flatMap { chunk in
        progress("reconstructions", chunk - own.lowerBound, own.count)
        return chunkErrors(model, chunk, of: count)
      }
      let total = try sumInOrder(errors)
      let isRoot = world.rank == 0
      let shown = isRoot ? test.tensor(0..<min(64, test.count)) : nil
      return Preview(
        step: step, isLast: isLast, reconstructionError: total / Double(count * test.shape.count),
        count: count, testCount: test.count, codes: fitted.codes, originals: shown,
        reconstructions: shown.map { model.reconstruct($0, using: random.derived("shown")) },
        samples: isRoot
          ? model.sample(64, from: fitted.sampler, using: random.derived("samples")) : nil)
    }
  }

  /// Squared error of each image of a chunk.
  private func chunkErrors(_ model: any Model, _ chunk: Int, of count: Int) -> [Double] {
    let start = chunk * Previewer.chunk
    let x = test.tensor(start..<min(start + Previewer.chunk, count))
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
