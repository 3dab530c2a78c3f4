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
    discussion: """
      Distances are Euclidean, between all values of two images, in [0, 1]; every training image is looked at.
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
    guard (1...1000).contains(count), (1...50).contains(neighbors) else {
      throw ValidationError(
        "expected 1 to 1,000 --count and 1 to 50 --neighbors, found \(count) and \(neighbors)")
    }
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try SavedRun(source.folder, step: source.step)
    let train = try saved.images(.train, at: source.data)
    let sampler = try saved.sampler(nil, data: source.data)
    let samples = withoutGradients {
      saved.loaded.model.sample(
        count, from: sampler, using: RandomSource(seed: seed).derived("samples"))
    }
    let found = try failing { try nearest(to: samples, in: train) }
    var cells: [[Float]] = []
    var captions: [String] = []
    for (sample, nearest) in zip(samples.rows, found) {
      cells.append(sample)
      captions.append("sample")
      for neighbor in nearest {
        cells.append(train.tensor(neighbor.number..<neighbor.number + 1).values)
        captions.append(String(format: "%.2f", neighbor.distance))
      }
    }
    var grid = SampleGrid(
      columns: 1 + min(neighbors, train.count),
      title: saved.title("nearest neighbours"))
    grid.captions = captions
    let paths = try figures.write("neighbors-\(saved.state.step)-seed\(seed)", in: saved.pictures) {
      try grid.write(Tiles(cells, shape: train.shape), to: $0)
    }
    let mean = found.reduce(0) { $0 + $1[0].distance } / Double(count)
    print(
      "\(count) samples, each with the nearest of \(grouped(train.count)) training images, "
        + "at \(String(format: "%.3f", mean)) on average: \(paths)")
  }

  private func nearest(to samples: Tensor, in train: ImageSet) throws -> [[Neighbor]] {
    var search = NearestNeighbors(
      of: Features(samples.values, dimensions: train.shape.count), count: neighbors)
    let block = 512
    for first in stride(from: 0, to: train.count, by: block) {
      let images = train.tensor(first..<min(first + block, train.count))
      try search.search(Features(images.values, dimensions: train.shape.count), from: first)
    }
    return search.found
  }
}
