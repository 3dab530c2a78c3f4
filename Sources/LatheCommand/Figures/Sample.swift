import ArgumentParser
import Foundation
import LatheKernels
import LatheModels
import SystemPackage
import LatheTensors
import LatheTraining

struct Sample: SharedFigure {
  static let configuration = CommandConfiguration(
    abstract: "Draws images from a trained model: a grid, files, or an array.",
    usage: "lathe sample RUN [options]",
    discussion: """
      A grid, PNG files 000000.png, 000001.png … in a folder, or one array:
        lathe sample RUN
        mpirun -n 2 lathe sample RUN --count 50000 --out pictures
        mpirun -n 2 lathe sample RUN --count 50000 --out images.npz --dtype uint8
      Image i is the same on any number of ranks, and the one that `lathe evaluate --seed` scores.

      A sampler that is fitted to the codes of the training images is kept beside the checkpoint; \
      where there is none it is fitted first, which mpirun makes faster:
        mpirun -n 2 lathe sample RUN --sampler gmm

      Of a run with --conditional, a row for each class or attribute, the same noise in each:
        lathe sample RUN --by-class
      """)

  @OptionGroup var source: RunOptions

  @Option(name: .customLong("count"), help: "Number of images (default: 64, or 8 of each class).")
  var asked: Int?

  @Flag(help: "A row for each class or attribute, of a conditional run.")
  var byClass = false

  @Option(help: "Where codes come from (default: as in training).")
  var sampler: Sampler.Name?

  @Option(help: "Seed of the noise.")
  var seed: UInt64 = 0

  @OptionGroup var figures: FigureOptions

  @Option(help: "Numbers of an array: float32 or uint8.")
  var dtype: ArrayElement = .float32

  private var count: Int { asked ?? (byClass ? 8 : 64) }

  func validate() throws {
    try check("--count", count, in: 1...(isGrid ? 10_000 : 1_000_000_000))
    guard !byClass || isGrid else {
      throw ValidationError("--by-class: for a grid, not for \(figures.out!)")
    }
    try checkSeed(seed)
  }

  private var isGrid: Bool { figures.out.map { !ImageOutput.suits($0) } ?? true }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    guard isGrid else { return try writeImages(of: saved, to: figures.out!) }
    try saved.requirePictures()
    if Launcher.isRoot { try figures.prepare(in: saved.pictures) }
    let codes = try saved.sampler(sampler, data: source.data)
    guard RankedJob.isLeftToRoot() else { return }
    guard !byClass else { return try writeRows(of: saved, from: codes) }
    let model = saved.loaded.model
    let images = withoutGradients { model.drawnImages(0..<count, from: codes, seed: seed) }
    let title = saved.title("\(count) samples")
    let named = sampler.map { "-\($0.rawValue)" } ?? ""
    let name = "\(saved.pictureName("samples"))\(named)-seed\(seed)"
    let paths = try figures.write(name, in: saved.pictures) {
      try Pictures.writeSamples(images, title: title, to: $0)
    }
    print("\(count) images drawn from \(saved.checkpoint)")
    print("written          \(paths)")
  }

  /// A row for each class, or for each attribute, of the same noise.
  private func writeRows(of saved: SavedRun, from codes: Sampler) throws {
    let model = saved.loaded.model
    guard let labels = model.labels, let drawFor = codes.drawFor else {
      throw CommandFailure.usage("--by-class: \(saved.folder) was trained without --conditional")
    }
    let names = try saved.images(.test, at: source.data).labelNames
    let random = RandomSource(seed: seed).derived("by class")
    let rows = names.enumerated().map { number, name in
      let wanted = labels.drawn(count, of: number, random)
      return Pictures.Row(
        name: name, images: withoutGradients { model.decode(drawFor(wanted, random)) })
    }
    let named = sampler.map { "-\($0.rawValue)" } ?? ""
    let name = "\(saved.pictureName("classes"))\(named)-seed\(seed)"
    let title = saved.title("\(count) samples of each")
    let paths = try figures.write(name, in: saved.pictures) {
      try Pictures.writeRows(rows, title: title, to: $0)
    }
    print("\(counted(count, "image")) each of \(names.count) drawn from \(saved.checkpoint)")
    print("written          \(paths)")
  }

  /// Images one by one, made by all ranks.
  private func writeImages(of saved: SavedRun, to out: String) throws {
    let world = try RankedJob.start().world
    let progress = TaskProgress(after: 2)
    let codes = try saved.sampler(sampler, data: source.data, on: world, progress: progress)
    let written = try ImageWriting(
      out: out, count: count, dataset: saved.dataset, element: dtype
    ).run(on: world, progress) { saved.loaded.model.drawnImages($0, from: codes, seed: seed) }
    guard let written else { return }
    print("\(counted(count, "image")) drawn from \(saved.checkpoint)")
    print("written          \(written)")
  }
}
