import ArgumentParser
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import SystemPackage

/// `lathe features train DATASET`: the network behind the proxy distance, on one rank.
struct FeaturesTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a small classifier, whose features stand in for Inception's.",
    discussion: """
      lathe features train fashion-mnist --epochs 6 --out classifier.safetensors
      """)

  @Argument(help: "The data set (`lathe datasets` lists them); it must have classes.")
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

  @Option(help: "Threads.")
  var threads = 1

  func validate() throws {
    guard epochs >= 1, batch >= 2, threads >= 1 else {
      throw ValidationError(
        "expected --epochs and --threads of at least 1 and a --batch of at least 2, "
          + "found \(epochs), \(threads) and \(batch)")
    }
  }

  private var settings: ClassifierTraining.Configuration {
    var settings = ClassifierTraining.Configuration()
    (settings.epochs, settings.batch, settings.seed) = (epochs, batch, seed)
    settings.isColourised = colour
    return settings
  }

  /// Trains, tells how each epoch went, and writes the weights.
  func run() throws {
    if let launcher = Launcher.place, launcher.size > 1 {
      throw CommandFailure.usage("features train: expected one rank, found \(launcher.size)")
    }
    Workers.setCount(threads)
    let out = FilePath(self.out ?? "classifier-\(dataset).safetensors")
    let entry = try pictures.applied(to: LatheCommand.dataset(named: dataset))
    let folder = data.map { FilePath($0) }
    let train = try failing { try entry.load(.train, at: folder) }
    let test = try failing { try entry.load(.test, at: folder) }
    try check(train)
    let training = ClassifierTraining(settings, train: train, test: test)
    let start = ContinuousClock.now
    training.run { epoch, loss, accuracy in
      print(
        String(
          format: "epoch %d of %d: loss %.4f, %.2f %% of the test images right, %.0f s", epoch,
          epochs, loss, accuracy * 100, (ContinuousClock.now - start).seconds))
      flushOutput()
    }
    try failing { try training.write(to: out) }
    print("wrote \(out)")
  }

  private func check(_ images: ImageSet) throws {
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
