import ArgumentParser
import Foundation
import SystemPackage
import Tensors

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws images from a trained model's prior, as a grid.")

  @Argument(help: ArgumentHelp("A run's folder, or one of its checkpoints.", valueName: "run"))
  var folder: String

  @Option(help: "Number of images.")
  var count = 64

  @Option(help: "Seed of the noise.")
  var seed: UInt64 = 0

  @Option(help: "Use the checkpoint after this many steps instead of the newest.")
  var step: Int?

  @OptionGroup var figures: FigureOptions

  func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count \(count): expected 1 to 10,000")
    }
  }

  func run() throws {
    let saved = try SavedRun(folder, step: step)
    let images = withoutGradients {
      saved.loaded.model.sample(count, using: RandomSource(seed: seed).derived("samples"))
    }
    let title = saved.title("\(count) samples")
    let paths = try figures.write("sample-\(saved.state.step)-seed\(seed)", in: saved.pictures) {
      try Pictures.writeSamples(images, title: title, to: $0)
    }
    print("\(count) images drawn from \(saved.checkpoint): \(paths)")
  }
}
