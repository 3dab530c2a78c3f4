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
    usage: "lathe reconstruct RUN… [options]",
    discussion: """
      A grid of the first 64 test images, or as many as there are, above what becomes of them:
        lathe reconstruct RUN
        lathe reconstruct RUN --split train --first 100 --count 16
      The same 16 test images and what several models make of them, a row for each model:
        lathe reconstruct runs/vae-mnist runs/rae-mnist --random --out sheet.png
      All of them, as one array or as PNG files 000000.png, 000001.png … in a folder:
        mpirun -n 2 lathe reconstruct RUN --out images.npz
        lathe reconstruct RUN --out pictures --count 1000
      These are decoded from what `lathe encode` writes, the posterior's mean unless --drawn; the \
      bits are the same on any number of ranks.
      """)

  @OptionGroup var source: RunsOptions

  @Option(help: .split)
  var split: Split?

  @Option(help: "Number of images (default: 64 for a grid, 16 of several runs, else all).")
  var count: Int?

  @Option(help: "Number of the first image.")
  var first = 0

  @Flag(help: "Of a grid: images at random places of the split, by --seed.")
  var random = false

  @Flag(help: "Of an array or files: draw codes from the posterior, where the model has one.")
  var drawn = false

  @Option(help: "What --random places and --drawn codes are drawn from.")
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
    guard !random || (isGrid && first == 0) else {
      throw ValidationError("--random: for a grid, and without --first")
    }
    guard isGrid || source.folders.count == 1 else {
      throw ValidationError(
        "--out \(figures.out!): expected NAME.png or NAME.svg for the grid of several runs")
    }
  }

  func run() throws {
    guard !isGrid || RankedJob.isLeftToRoot() else { return }
    Workers.setCount(source.threads)
    let runs = try source.runs()
    guard isGrid else { return try writeImages(of: runs.all[0], to: figures.out!) }
    for run in runs.all { try run.requirePictures() }
    try figures.prepare(in: runs.pictures)
    let (sets, words) = try runs.images(asked: split, at: source.data)
    let count = count ?? (runs.single == nil ? 16 : 64)
    let numbers =
      random
      ? try sets[0].drawn(count, seed: seed) : Array(try sets[0].available(count, from: first))
    try draw(zip(runs.all, sets).map { Reconstructed($0, $1, numbers) }, of: runs, words)
  }

  private func draw(_ all: [Reconstructed], of runs: SavedRuns, _ words: String) throws {
    let title = runs.title("\(words) above their reconstructions")
    let name = "\(runs.pictureName("reconstructions"))-\((split ?? .test).rawValue)"
    let paths = try figures.write(name, in: runs.pictures) {
      if runs.single != nil {
        try Pictures.writeReconstructions(
          all[0].originals, all[0].reconstructions, title: title, to: $0)
      } else {
        try Pictures.writeRows(rows(all, runs.names, words), title: title, to: $0)
      }
    }
    for (name, images) in zip(runs.names, all) {
      let error = String(format: "%.5g", images.error)
      let what = runs.single == nil ? "\(name): " : ""
      print("\(what)\(images.originals.shape[0]) \(words), mean squared error per pixel \(error)")
    }
    print("written          \(paths)")
  }

  /// A row for each run, below one of the images where the run before has not the same.
  private func rows(
    _ all: [Reconstructed], _ names: [String], _ words: String
  ) -> [Pictures.Row] {
    zip(all.indices, names).flatMap { number, name -> [Pictures.Row] in
      let row = Pictures.Row(name: name, images: all[number].reconstructions)
      let isNew = number == 0 || all[number].digest != all[number - 1].digest
      return (isNew ? [.init(name: words, images: all[number].originals)] : []) + [row]
    }
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

/// Images of a run, and what it makes of them.
private struct Reconstructed {
  let originals, reconstructions: Tensor
  /// Of the set that they are of.
  let digest: String

  init(_ run: SavedRun, _ images: ImageSet, _ numbers: [Int]) {
    let originals = images.tensor(numbers)
    let random = RandomSource(seed: run.state.run.optimization.seed)
    reconstructions = withoutGradients { run.loaded.model.reconstruct(originals, using: random) }
    (self.originals, digest) = (originals, images.digest)
  }

  /// Mean of squared differences of values.
  var error: Float { (originals - reconstructions).squared.mean().scalar }
}

extension Split: ExpressibleByArgument {}

extension ArgumentHelp {
  /// Of a command on a run's images.
  static let split: ArgumentHelp = """
    The split that the images are of: train, validation or test (default: test; all images of an \
    array file without parts that --data names).
    """
}
