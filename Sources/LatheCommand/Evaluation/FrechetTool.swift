import ArgumentParser
import LatheDistributed
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import SystemPackage
import LatheTraining

struct FrechetTool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fid",
    abstract: "Measures the Fréchet distance of two sets of images.",
    discussion: """
      A and B are folders of pictures (JPEG, PNG), packed files, or .npz files with mu and sigma as pytorch-fid's.
        mpirun -n 2 lathe fid A B --features inception:weights.safetensors --dims 2048
        lathe fid A --save a.npz --features inception:weights.safetensors
      Pictures keep their size, which must be one for all of a folder; --size resizes them, after a cut to the largest
      square. A packed file's splits are taken together unless --split names one.
      """)

  @Argument(help: "A folder, a packed file or an .npz file.")
  var a: String

  @Argument(help: "Another one.")
  var b: String?

  @OptionGroup var features: FeatureFlags

  @Option(help: "Side to which pictures of folders are resized.")
  var size: Int?

  @Option(help: "Split of packed files (default: all).")
  var split: Split?

  @Option(help: "Write the statistics of A to this .npz file.")
  var save: String?

  @Option(help: "Threads of each rank.")
  var threads = 1

  func validate() throws {
    guard threads > 0, (1...4096).contains(size ?? 1) else {
      throw ValidationError(
        "expected --threads of at least 1 and a --size of 1 to 4,096, found \(threads) and \(size ?? 0)"
      )
    }
    guard b != nil || save != nil else {
      throw ValidationError("expected a second set, or --save for the statistics of the first")
    }
  }

  func run() throws {
    let choice = try features.choice()
    let sources = try failing {
      try ([a] + (b.map { [$0] } ?? [])).map {
        try StatisticsSource(FilePath($0), split: split, size: size)
      }
    }
    let extractors = try failing {
      try sources.map { try $0.shape.map { try choice.features(for: $0) } }
    }
    let world = try RankedJob.start().world
    Workers.setCount(threads)
    let found = try zip(sources, extractors).compactMap { source, extractor in
      try source.statistics(extractor, on: world)
    }
    if world.rank == 0 { try report(found, sources, extractors) }
  }

  private func report(
    _ found: [FeatureStatistics], _ sources: [StatisticsSource], _ extractors: [ImageFeatures?]
  ) throws {
    for (statistics, source) in zip(found, sources) {
      let count = statistics.count.map { "\($0) images" } ?? "statistics"
      print("\(source.path): \(count), \(statistics.dimensions)-d")
    }
    if let save { try found[0].write(to: FilePath(save)) }
    guard found.count == 2 else { return }
    let distance = try frechetDistance(found[0], found[1])
    let extractor = extractors.compactMap { $0 }.first
    let name = extractor?.distanceName ?? "fréchet distance of given statistics"
    print("\(name) \(distance) (\(extractor?.description ?? "\(found[0].dimensions)-d"))")
    if let least = found.compactMap(\.count).min(), least <= found[0].dimensions {
      print(
        "caution: \(least) images for \(found[0].dimensions) dimensions: a covariance is singular, the distance biased upwards"
      )
    }
    flushOutput()
  }
}
