import ArgumentParser
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import SystemPackage

/// `lathe features train DATASET`: the network behind the proxy distance, on one rank.
struct FeaturesTrain: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a small classifier, whose features stand in for Inception's.",
    usage: "lathe features train DATASET [options]",
    discussion: """
        lathe features train fashion-mnist --epochs 6 --out classifier.safetensors
      """)

  @Argument(
    help: "The data set (`lathe datasets` lists them); it must have classes.",
    completion: .datasets)
  var dataset: String

  @Option(
    help: "Folder, archive or packed file of the data set (default: where it is usually found).")
  var data: String?

  @OptionGroup var pictures: PictureOptions

  @Option(help: "Passes over the training images.")
  var epochs = ClassifierTraining.Configuration().epochs

  @Option(help: "Images in a batch.")
  var batch = ClassifierTraining.Configuration().batch

  @Option(help: "What weights and order are drawn from.")
  var seed = ClassifierTraining.Configuration().seed

  @Flag(help: "Colour grey images randomly, for features of colour images.")
  var colour = false

  @Option(help: "The file to write (default: classifier-DATASET.safetensors).")
  var out: String?

  @Option(help: "Threads of this command.")
  var threads = 1

  func validate() throws {
    try check("--epochs", epochs, in: 1...1_000_000)
    try check("--batch", batch, in: 2...1_000_000)
    try checkSeed(seed)
    try check("--threads", threads, in: 1...256)
  }

  private var settings: ClassifierTraining.Configuration {
    var settings = ClassifierTraining.Configuration()
    (settings.epochs, settings.batch, settings.seed) = (epochs, batch, seed)
    settings.isColourised = colour
    return settings
  }

  /// Trains, tells how each epoch went, and writes the weights.
  func run() throws {
    Workers.setCount(threads)
    let entry = try pictures.applied(to: LatheCommand.dataset(named: dataset))
    let name = "classifier-\(entry.name).safetensors"
    let out = try OutputFile(self.out ?? name, option: "--out").path
    let folder = data.map { FilePath($0) }
    let train = try failing { try entry.load(.train, at: folder) }
    let test = try failing { try entry.load(.test, at: folder) }
    try requireUsable(train)
    let training = ClassifierTraining(settings, train: train, test: test)
    let start = ContinuousClock.now
    let progress = TaskProgress()
    training.run(progress: { progress.show("training the classifier", $0, $1) }) {
      epoch, loss, accuracy in
      progress.finish()
      print(
        String(
          format: "epoch %d of %d: loss %.4f, %.2f %% of the test images right, %.0f s", epoch,
          epochs, loss, accuracy * 100, (ContinuousClock.now - start).seconds))
      flushOutput()
    }
    try failing { try training.write(to: out) }
    print("written          \(out)")
  }

  private func requireUsable(_ images: ImageSet) throws {
    guard images.classNames.count > 1 else {
      throw CommandFailure.data("features train: \(dataset) has no classes")
    }
    guard images.shape.height == images.shape.width else {
      throw CommandFailure.data(
        "features train: square images expected, \(dataset) has \(images.shape)")
    }
    guard !colour || images.shape.channels == 1 else {
      throw CommandFailure.usage("features train: --colour is for grey images")
    }
  }
}
