import ArgumentParser
import LatheDistributed
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import LatheNN
import SystemPackage
import LatheTraining

struct FrechetTool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fid",
    abstract: "Computes the Fréchet distance of two sets of images.",
    usage: "lathe fid A [B] [options]",
    discussion: """
      A and B are folders of pictures (JPEG, PNG), packed files, or .npz files with mu and sigma \
      as pytorch-fid's.
        mpirun -n 2 lathe fid A B --features inception:FILE --resize pytorch
        lathe fid A --save a.npz --features inception:FILE
      Pictures keep their size, which must be one for all of a folder; --size resizes them, after \
      a crop to the largest square. A packed file's splits are taken together unless --split names \
      one.
      """)

  @Argument(help: "A folder, a packed file or an .npz file.", completion: .file())
  var a: String

  @Argument(help: "Another one.", completion: .file())
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
    try check("--threads", threads, in: 1...256)
    try check("--size", size, in: 1...4096)
    guard b != nil || save != nil else {
      throw ValidationError("expected a second set, or --save for the statistics of the first")
    }
  }

  func run() throws {
    let choice = try features.choice()
    let output = try save.map { try OutputFile($0, option: "--save") }
    let sources = try failing {
      try ([a] + (b.map { [$0] } ?? [])).map {
        try StatisticsSource(FilePath($0), split: split, size: size)
      }
    }
    let extractors = try extractors(for: sources, choice)
    try requireComparable(sources, extractors)
    let progress = TaskProgress()
    let world = try RankedJob.start().world
    Workers.setCount(threads)
    let found = try zip(sources, extractors).compactMap { source, extractor in
      try source.statistics(extractor, on: world, progress: progress)
    }
    progress.finish()
    if world.rank == 0 { try report(found, sources, extractors, output) }
  }

  /// The extractor for each source, made once for images of one shape; nil for statistics.
  private func extractors(
    for sources: [StatisticsSource], _ choice: FeatureChoice
  ) throws -> [(any FeatureExtractor)?] {
    var made: [(shape: ImageShape, extractor: any FeatureExtractor)] = []
    return try sources.map { source in
      guard let shape = source.shape else { return nil }
      if let ready = made.first(where: { $0.shape == shape }) { return ready.extractor }
      made.append((shape, try choice.extractor(for: shape)))
      return made.last?.extractor
    }
  }

  /// Sees that the two can be compared, before any picture is looked at.
  ///
  /// - Throws: `CommandFailure` (65).
  private func requireComparable(
    _ sources: [StatisticsSource], _ extractors: [(any FeatureExtractor)?]
  ) throws {
    for (source, extractor) in zip(sources, extractors) {
      try source.requireCovariance(extractor)
    }
    let lengths = zip(sources, extractors).compactMap { $0.dimensions($1) }
    let most = FeatureStatistics.maximumDimensionsOfFile
    if save != nil, let length = lengths.first, length > most {
      throw CommandFailure.data(
        "--save: expected at most \(most) dimensions, found \(length); --size makes images smaller")
    }
    guard lengths.count == 2, lengths[0] != lengths[1] else { return }
    throw CommandFailure.data(
      "feature dimensions: \(sources[0].path) has \(lengths[0]), \(sources[1].path) "
        + "\(lengths[1]); only features of one kind can be compared")
  }

  private func report(
    _ found: [FeatureStatistics], _ sources: [StatisticsSource],
    _ extractors: [(any FeatureExtractor)?], _ output: OutputFile?
  ) throws {
    for (statistics, source) in zip(found, sources) {
      let origin =
        statistics.count.map { "\($0) images" }
        ?? "statistics; how their images were preprocessed is not known"
      print(wrapped("\(source.path): \(origin), \(statistics.dimensions)-d"))
    }
    if let output {
      try found[0].write(to: output.path)
      print("written          \(output.path)")
    }
    if found.count == 2 { try compare(found, sources, extractors) }
    flushOutput()
  }

  private func compare(
    _ found: [FeatureStatistics], _ sources: [StatisticsSource],
    _ extractors: [(any FeatureExtractor)?]
  ) throws {
    let distance = String(format: "%.5g", try frechetDistance(found[0], found[1]))
    let used = zip(sources, extractors).compactMap { source, extractor in
      source.shape.flatMap { shape in extractor.map { ($0, $0.summary(for: shape)) } }
    }.first
    let isKnown = found.allSatisfy { $0.count != nil }
    let name = used?.0.scoreName ?? "Fréchet distance of given statistics"
    print("\(name)  \(distance)")
    if let used { print(wrapped(used.1 + (isKnown ? "" : ", for the images only"))) }
    if let minimum = found.compactMap(\.count).min(), minimum <= found[0].dimensions {
      print(
        wrapped(
          "warning: \(minimum) images for \(found[0].dimensions) dimensions: a covariance is "
            + "singular, the distance is biased upwards"))
    }
  }
}
