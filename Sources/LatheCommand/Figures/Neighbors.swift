import ArgumentParser
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import LatheReports
import LatheTensors
import SystemPackage
import LatheTraining

struct Neighbors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Shows samples, each with its nearest training images: has the model learned by heart?",
    usage: "lathe neighbors RUN [options]",
    discussion: """
      Distances are Euclidean, between all values of two images in [0, 1], to every training image.
        lathe neighbors RUN --count 4
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
    guard Launcher.isRoot else { return }
    let train = try saved.images(.train, at: source.data)
    let samples = withoutGradients {
      saved.loaded.model.sample(
        count, from: sampler, using: RandomSource(seed: seed).derived("samples"))
    }
    let found = try failing { try nearest(to: samples, in: train) }
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

  private func nearest(to samples: Tensor, in train: ImageSet) throws -> [[Neighbor]] {
    var search = NearestNeighbors(
      of: Features(samples.values, dimensions: train.shape.count), count: neighbors)
    let progress = TaskProgress()
    defer { progress.finish() }
    let block = 512
    for first in stride(from: 0, to: train.count, by: block) {
      progress.show("distances to the training images", first, train.count)
      let images = train.tensor(first..<min(first + block, train.count))
      try search.search(Features(images.values, dimensions: train.shape.count), from: first)
    }
    return search.found
  }
}
