import ArgumentParser
import LatheFiles
import LatheData
import LatheKernels
import LatheMetrics
import SystemPackage
import LatheTraining

/// The command `lathe features`.
struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Turns images into the vectors that sets of images are compared by.",
    subcommands: [FeaturesExtract.self, FeaturesTrain.self])
}

struct FeaturesExtract: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Writes the features of a data set's images to a safetensors file.",
    usage: "lathe features extract DATASET [options]",
    discussion: """
        lathe features extract cifar10 \\
          --features inception:FILE --dims 768 --out cifar10.safetensors
      The file holds `features`, [images, dimensions], in the order of the data set.
      """)

  @OptionGroup var images: DataOptions
  @OptionGroup var features: FeatureFlags
  @OptionGroup var preprocessing: PreprocessingFlags

  @Flag(name: .customLong("round"), help: .hidden)
  var oldRounding = false

  @Option(help: "Which part of the data set: train, validation or test.")
  var split = Split.test

  @Option(help: "Images from the first on (default: all).")
  var count: Int?

  @Option(help: "The file to write.")
  var out: String

  @Option(help: "Threads.")
  var threads = 1

  func validate() throws {
    try check("--threads", threads, in: 1...256)
    try check("--count", count, atLeast: 1)
  }

  func run() throws {
    Workers.setCount(threads)
    let preprocess = try askedPreprocessing()
    let output = try OutputFile(out, option: "--out")
    let entry = try images.entry()
    let set = try failing { try entry.load(split, at: images.place) }
    let extractor = try features.choice().extractor(for: set.shape)
    let taken = min(count ?? set.count, set.count)
    let values = try extract(extractor, set, taken, preprocess)
    let shape = [taken, values.count / taken]
    let metadata = [
      "extractor": extractor.name, "dataset": set.name, "split": split.rawValue,
      "digest": set.digest, "preprocessing": preprocess?.description ?? "none",
    ]
    try failing {
      try values.withUnsafeBufferPointer {
        try Safetensors.write(
          [(name: "features", shape: shape, values: $0)], metadata: metadata, to: output.path)
      }
    }
    print("\(extractor.name): \(shape[0]) images, \(shape[1])-d")
    print("written          \(out)")
  }

  private func extract(
    _ extractor: any FeatureExtractor, _ set: ImageSet, _ count: Int, _ preprocess: Preprocessing?
  ) throws -> [Float] {
    let progress = TaskProgress()
    defer { progress.finish() }
    let imagesAtATime = 256
    var values: [Float] = []
    for first in stride(from: 0, to: count, by: imagesAtATime) {
      progress.show("features of \(set.name)", first, count)
      let part = set.tensor(first..<min(count, first + imagesAtATime))
      values += try failing { try extractor.features(of: preprocess?(part) ?? part).values }
    }
    return values
  }

  /// What was asked for to happen to images first; nil if nothing.
  private func askedPreprocessing() throws -> Preprocessing? {
    let old = oldRounding ? Preprocessing.Rounding.nearest : nil
    var asked = try preprocessing.preprocessing()
    if let old = renamedOption(old, "--round", to: "--rounding nearest") { asked.rounding = old }
    return asked == Preprocessing() ? nil : asked
  }
}
