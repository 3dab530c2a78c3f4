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
    abstract: "Compares two sets of images: FID, KID, precision and recall, density and coverage.",
    usage: "lathe fid A [B] [options]",
    discussion: """
      A and B are folders of pictures (JPEG, PNG), packed files, arrays in .npy or .npz files, or \
      .npz files with mu and sigma as pytorch-fid's, of which FID alone can be computed. A is \
      evaluated, B is the reference.
        mpirun -n 2 lathe fid A B --features inception:FILE --resize pytorch
        lathe fid samples.npz images.npy
        lathe fid A --save a.npz --features inception:FILE
      Vectors, [N, d], are measured themselves. \
      Pictures keep their size, which must be one for all of a folder; --size resizes them, after \
      a crop to the largest square. A packed file's splits are taken together unless --split names \
      one.

      Status 65 if a metric that --metrics names cannot be computed; the others are shown.
      """)

  @Argument(help: "A folder, a packed file, .npy or .npz.", completion: .file())
  var a: String

  @Argument(help: "Another one.", completion: .file())
  var b: String?

  @OptionGroup var features: FeatureFlags

  @Option(help: "What is computed, separated by commas: fid, prd, kid, coverage (default: all).")
  var metrics: String?

  @Option(help: "What pairs and subsets are drawn from.")
  var seed: UInt64 = 0

  @Option(help: "Side to which pictures of folders are resized.")
  var size: Int?

  @Option(help: "Split of packed files and arrays (default: all).")
  var split: Split?

  @Option(parsing: .unconditional, help: "Values of float images that stand for black and white.")
  var range: String?

  @Option(help: "Write the statistics of A to this .npz file.")
  var save: String?

  @Option(help: "Threads of each rank.")
  var threads = 1

  func validate() throws {
    try check("--threads", threads, in: 1...256)
    try check("--size", size, in: 1...4096)
    try checkSeed(seed)
    _ = (try asked(), try ValueRange.asked(range))
    guard b != nil || save != nil else {
      throw ValidationError("expected a second set, or --save for the statistics of the first")
    }
  }

  /// The metrics that are asked for.
  private func asked() throws -> [EvaluationSettings.Metric] {
    let known = EvaluationSettings.Metric.ofSets
    guard let metrics else { return known }
    return try metrics.split(separator: ",").map { name in
      let metric = EvaluationSettings.Metric(named: String(name))
      guard let metric, known.contains(metric) else {
        throw ValidationError(
          "--metrics: expected some of \(known.map(\.rawValue).joined(separator: ", ")), "
            + "found \(name)")
      }
      return metric
    }
  }

  func run() throws {
    let metrics = try asked()
    let choice = try features.choice()
    let output = try save.map { try OutputFile($0, option: "--save") }
    let sources = try failing {
      try ([a] + (b.map { [$0] } ?? [])).map {
        try StatisticsSource(FilePath($0), split: split, size: size, range: .asked(range))
      }
    }
    let extractors = try extractors(for: sources, choice)
    try requireComparable(sources, extractors, needsCovariance: metrics.contains(.fid))
    let progress = TaskProgress()
    let world = try RankedJob.start().world
    Workers.setCount(threads)
    let found = try zip(sources, extractors).compactMap { source, extractor in
      try source.content(extractor, on: world, progress: progress)
    }
    guard world.rank == 0 else { return }
    let report = SetComparison(
      sources: sources, contents: found, extractors: extractors, metrics: metrics, seed: seed,
      isNamed: self.metrics != nil, progress: progress)
    try report.run(saving: output)
  }

  /// The extractor for each source, made once for images of one shape; nil for statistics.
  private func extractors(
    for sources: [StatisticsSource], _ choice: FeatureChoice
  ) throws -> [(any FeatureExtractor)?] {
    var made: [(shape: ImageShape, extractor: any FeatureExtractor)] = []
    return try sources.map { source in
      guard let shape = source.shape else { return nil }
      if source.isVectors { return try choice.vectorExtractor(for: source.path) }
      if let ready = made.first(where: { $0.shape == shape }) { return ready.extractor }
      made.append((shape, try choice.extractor(for: shape)))
      return made.last?.extractor
    }
  }

  /// Sees that the two can be compared, before any picture is looked at.
  ///
  /// - Throws: `CommandFailure` (65).
  private func requireComparable(
    _ sources: [StatisticsSource], _ extractors: [(any FeatureExtractor)?], needsCovariance: Bool
  ) throws {
    if needsCovariance || save != nil {
      for (source, extractor) in zip(sources, extractors) {
        try source.requireCovariance(extractor)
      }
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
}
