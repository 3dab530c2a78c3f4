import LatheDistributed
import LatheData
import Foundation
import LatheKernels
import LatheMetrics
import SystemPackage

/// `lathe train classifier DATASET`: the network behind the proxy distance, on one rank.
struct TrainClassifier {
  private let options: Train
  private let dataset: String
  private var configuration = ClassifierTraining.Configuration()

  /// - Throws: `CommandFailure` for settings that a classifier doesn't have.
  init(_ options: Train) throws {
    guard let dataset = options.dataset else {
      throw CommandFailure.usage("train classifier: on which data set? (`lathe datasets`)")
    }
    self.options = options
    self.dataset = dataset
    try Self.refuse(options)
    configuration.epochs = options.epochs ?? configuration.epochs
    configuration.batch = options.batch ?? configuration.batch
    configuration.seed = options.seed ?? configuration.seed
    configuration.isColourised = try Self.isColourised(options.settings)
    guard configuration.epochs > 0, configuration.batch > 1 else {
      throw CommandFailure.usage(
        "train classifier: --epochs of 1 or more and --batch of 2 or more expected")
    }
  }

  /// Trains, tells how each epoch went, and writes the weights.
  func run() throws {
    Workers.setCount(options.threads ?? 1)
    let out = FilePath(options.out ?? "classifier-\(dataset).safetensors")
    let entry = try options.pictures.applied(to: LatheCommand.dataset(named: dataset))
    let folder = options.data.map { FilePath($0) }
    let train = try failing { try entry.load(.train, at: folder) }
    let test = try failing { try entry.load(.test, at: folder) }
    try check(train)
    let training = ClassifierTraining(configuration, train: train, test: test)
    let start = ContinuousClock.now
    training.run { epoch, loss, accuracy in
      print(
        String(
          format: "epoch %d of %d: loss %.4f, %.2f %% of the test images right, %.0f s", epoch,
          configuration.epochs, loss, accuracy * 100, (ContinuousClock.now - start).seconds))
      flushOutput()
    }
    try failing { try training.write(to: out) }
    print("wrote \(out)")
  }

  private func check(_ images: ImageSet) throws {
    guard images.classNames.count > 1 else {
      throw CommandFailure.data("train classifier: \(dataset) has no classes")
    }
    guard images.shape.height == images.shape.width else {
      throw CommandFailure.data(
        "train classifier: square images expected, \(dataset) has \(images.shape)")
    }
    guard !configuration.isColourised || images.shape.channels == 1 else {
      throw CommandFailure.usage("train classifier: colour=true is for grey images")
    }
  }

  private static func isColourised(_ settings: [String]) throws -> Bool {
    var isColourised = false
    for setting in settings {
      switch setting {
      case "colour=true": isColourised = true
      case "colour=false": isColourised = false
      default:
        throw CommandFailure.usage(
          "train classifier: --set \(setting): expected colour=true or colour=false")
      }
    }
    return isColourised
  }

  private static func refuse(_ options: Train) throws {
    let given: [(String, Bool)] = [
      ("--recipe", options.recipe != nil), ("--slices", options.slices != nil),
      ("--steps", options.steps != nil), ("--resume", options.resume),
      ("--sampling", options.sampling != nil), ("--precision", options.precision != nil),
      ("--flip", options.flip != nil), ("--timeline", options.timeline != nil),
    ]
    if let (flag, _) = given.first(where: { $0.1 }) {
      throw CommandFailure.usage("train classifier: \(flag) does not apply")
    }
    if let launcher = Launcher.place, launcher.size > 1 {
      throw CommandFailure.usage("train classifier: one rank expected, found \(launcher.size)")
    }
  }
}
