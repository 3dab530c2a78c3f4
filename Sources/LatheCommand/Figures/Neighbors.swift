import ArgumentParser
import LatheData
import LatheDistributed
import Foundation
import LatheKernels
import LatheMetrics
import LatheReports
import LatheTensors
import SystemPackage
import LatheTraining

struct Neighbors: SharedFigure {
  static let configuration = CommandConfiguration(
    abstract:
      "Shows samples, each with its nearest training images: has the model learned by heart?",
    usage: "lathe neighbors RUN [options]",
    discussion: """
      Distances are Euclidean, between all values of two images in [0, 1], to every training image.
        lathe neighbors RUN --count 4
      Ranks share the training images; the picture is the same on any number:
        mpirun -n 2 lathe neighbors RUN
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var figures: FigureOptions

  @Option(help: "Samples.")
  var count = 8

  @Option(help: "Nearest training images of each.")
  var neighbors = 4

  @Option(help: "Seed of the noise.")
  var seed: UInt64 = 0

  func validate() throws {
    try check("--count", count, in: 1...1000)
    try check("--neighbors", neighbors, in: 1...50)
    try checkSeed(seed)
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    if Launcher.isRoot { try figures.prepare(in: saved.pictures) }
    let sampler = try saved.sampler(nil, data: source.data)
    let train = try saved.images(.train, at: source.data)
    let samples = withoutGradients {
      saved.loaded.model.sample(
        count, from: sampler, using: RandomSource(seed: seed).derived("samples"))
    }
    let world = try RankedJob.start().world
    let found = try failing { try nearest(to: samples, in: train, on: world) }
    guard let found else { return }
    let paths = try draw(samples, found, among: train, saved)
    let mean = found.reduce(0) { $0 + $1[0].distance } / Double(count)
    print(
      wrapped(
        "\(count) samples, each with the nearest of \(grouped(train.count)) training images, "
          + "at \(String(format: "%.3f", mean)) on average"))
    print("written          \(paths)")
  }

  /// A row for each sample: the sample, then the images nearest to it; returns the paths.
  private func draw(
    _ samples: Tensor, _ found: [[Neighbor]], among train: ImageSet, _ saved: SavedRun
  ) throws -> String {
    let cells = zip(samples.rows, found).flatMap { sample, nearest in
      [sample] + nearest.map { train.tensor([$0.number]).values }
    }
    var grid = SampleGrid(
      columns: 1 + min(neighbors, train.count), title: saved.title("nearest neighbours"))
    grid.captions = found.flatMap { nearest in
      ["sample"] + nearest.map { String(format: "%.2f", $0.distance) }
    }
    return try figures.write(
      "\(saved.pictureName("neighbors"))-seed\(seed)", in: saved.pictures
    ) {
      try grid.write(Tiles(cells, shape: train.shape), to: $0)
    }
  }

  /// Each rank looks at its share of the training images; what they found is put together on rank
  /// 0, nil elsewhere. Collective.
  private func nearest(
    to samples: Tensor, in train: ImageSet, on world: Communicator
  ) throws -> [[Neighbor]]? {
    var search = NearestNeighbors(
      of: Features(samples.values, dimensions: train.shape.count), count: neighbors)
    let share = (world.rank, world.rank + 1)
    let own = share.0 * train.count / world.size..<share.1 * train.count / world.size
    let (progress, block) = (TaskProgress(), 512)
    for first in stride(from: own.lowerBound, to: own.upperBound, by: block) {
      progress.show("distances to the training images", first, own.count)
      let images = train.tensor(first..<min(first + block, own.upperBound))
      try search.search(Features(images.values, dimensions: train.shape.count), from: first)
    }
    progress.finish()
    guard world.size > 1 else { return search.found }
    let parts = try world.gather(values: search.found.flatMap { $0 }, at: 0)
    guard let parts else { return nil }
    for part in parts.dropFirst() {
      let width = part.count / count
      search.merge((0..<count).map { Array(part[$0 * width..<($0 + 1) * width]) })
    }
    return search.found
  }
}
