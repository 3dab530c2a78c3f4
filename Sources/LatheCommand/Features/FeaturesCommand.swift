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

struct FeaturesExtract: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Writes the features of a data set's images to a safetensors file.",
    discussion: """
      lathe features extract cifar10 --features inception:inception.safetensors --dims 768 --out cifar10.safetensors
      The file holds `features`, [images, dimensions], in the order of the data set.
      """)

  @OptionGroup var images: DataOptions
  @OptionGroup var features: FeatureOptions

  @Option(help: "Which part of the data set: train, validation or test.")
  var split = Split.test

  @Option(help: "Images from the first on (default: all).")
  var count: Int?

  @Option(help: "The file to write.")
  var out: String

  @Option(help: "Threads.")
  var threads = 1

  func validate() throws {
    guard threads >= 1, count ?? 1 >= 1 else {
      throw ValidationError("--threads and --count of 1 or more expected")
    }
  }

  func run() throws {
    Workers.setCount(threads)
    let entry = try images.entry()
    let set = try failing { try entry.load(split, at: images.place) }
    let extractor = try features.extractor(for: set.shape)
    let taken = min(count ?? set.count, set.count)
    var values: [Float] = []
    for first in stride(from: 0, to: taken, by: imagesAtATime) {
      let part = set.tensor(first..<min(taken, first + imagesAtATime))
      values += try failing { try extractor.features(of: part).values }
    }
    let shape = [taken, values.count / taken]
    let metadata = [
      "extractor": extractor.name, "dataset": set.name, "split": split.rawValue,
      "digest": set.digest,
    ]
    try failing {
      try values.withUnsafeBufferPointer {
        try Safetensors.write(
          [(name: "features", shape: shape, values: $0)], metadata: metadata, to: FilePath(out))
      }
    }
    print("\(extractor.name): \(shape[0]) × \(shape[1]) to \(out)")
  }

  private var imagesAtATime: Int { 256 }
}
