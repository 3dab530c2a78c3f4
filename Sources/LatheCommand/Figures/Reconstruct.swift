import ArgumentParser
import LatheData
import LatheKernels
import Foundation
import SystemPackage
import LatheTensors
import LatheTraining

struct Reconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows or writes what a trained model makes of images.",
    usage: "lathe reconstruct RUN [options]",
    discussion: """
      A grid of the first 64 test images, or as many as there are, above what becomes of them:
        lathe reconstruct RUN
        lathe reconstruct RUN --split train --first 100 --count 16
      All of them, as one array or as PNG files 000000.png, 000001.png … in a folder:
        mpirun -n 2 lathe reconstruct RUN --out images.npz
        lathe reconstruct RUN --out pictures --count 1000
      These are decoded from what `lathe encode` writes, the posterior's mean unless --drawn; the \
      bits are the same on any number of ranks.
      """)

  @OptionGroup var source: RunOptions

  @Option(help: .split)
  var split: Split?

  @Option(help: "Number of images (default: 64 for a grid, else all).")
  var count: Int?

  @Option(help: "Number of the first image.")
  var first = 0

  @Flag(help: "Of an array or files: draw codes from the posterior, where the model has one.")
  var drawn = false

  @Option(help: "What codes are drawn from.")
  var seed: UInt64 = 0

  @OptionGroup var figures: FigureOptions

  @Option(help: "Numbers of an array: float32 or uint8.")
  var dtype: ArrayElement = .float32

  private var isGrid: Bool { figures.out.map { !ImageOutput.suits($0) } ?? true }

  func validate() throws {
    try check("--count", count, in: 1...(isGrid ? 10_000 : 1_000_000_000))
    try check("--first", first, atLeast: 0)
    try checkSeed(seed)
    guard !isGrid || !drawn else {
      throw ValidationError("--drawn: with --out NAME.npy, NAME.npz or a folder only")
    }
  }

  func run() throws {
    guard !isGrid || Launcher.isRoot else { return }
    Workers.setCount(source.threads)
    let saved = try source.run()
    if isGrid { try drawGrid(of: saved) } else { try writeImages(of: saved, to: figures.out!) }
  }

  private func drawGrid(of saved: SavedRun) throws {
    try saved.requirePictures()
    try figures.prepare(in: saved.pictures)
    let (images, words) = try saved.images(asked: split, at: source.data)
    let originals = images.tensor(try images.available(count ?? 64, from: first))
    let reconstructions = withoutGradients {
      saved.loaded.model.reconstruct(
        originals, using: RandomSource(seed: saved.state.run.optimization.seed))
    }
    let title = saved.title("\(words) above their reconstructions")
    let paths = try figures.write(
      "\(saved.pictureName("reconstructions"))-\(images.split.rawValue)", in: saved.pictures
    ) { try Pictures.writeReconstructions(originals, reconstructions, title: title, to: $0) }
    let error = String(format: "%.5g", (originals - reconstructions).squared.mean().scalar)
    print("\(originals.shape[0]) \(words), mean squared error per pixel \(error)")
    print("written          \(paths)")
  }

  /// Images one by one, made by all ranks.
  private func writeImages(of saved: SavedRun, to out: String) throws {
    let (images, words) = try saved.images(asked: split, at: source.data)
    let coded = try CodedImages(
      saved, images, first: first, count: count, seed: drawn ? seed : nil)
    let count = coded.numbers.count
    let world = try RankedJob.start().world
    let written = try ImageWriting(
      out: out, count: count, dataset: saved.dataset, element: dtype
    ).run(on: world, TaskProgress(after: 2)) { coded.model.decode(coded.codes($0)) }
    guard let written else { return }
    let what = "\(counted(count, "reconstruction")) of \(words)"
    print("\(what), step \(saved.state.step)")
    print("written          \(written)")
  }
}

extension Split: ExpressibleByArgument {}

extension ArgumentHelp {
  /// Of a command on a run's images.
  static let split: ArgumentHelp = """
    The split that the images are of: train, validation or test (default: test; all images of an \
    array file without parts that --data names).
    """
}
