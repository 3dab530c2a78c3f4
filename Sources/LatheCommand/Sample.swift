import ArgumentParser
import LatheDistributed
import Foundation
import LatheModels
import SystemPackage
import LatheTensors

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws images from a trained model, as a grid.",
    discussion: """
      A sampler that is fitted to the codes of the training images (gmm, ancestral) is kept beside the checkpoint; where there
      is none it is fitted first, which mpirun makes faster: mpirun -n 2 lathe sample RUN --sampler gmm
      """)

  @Argument(help: ArgumentHelp("A run's folder, or one of its checkpoints.", valueName: "run"))
  var folder: String

  @Option(help: "Number of images.")
  var count = 64

  @Option(help: "Where codes come from (default: as in training).")
  var sampler: Sampler.Name?

  @Option(
    help:
      "Where the training images are, for a sampler to be fitted (default: where the run had them, or they usually are)."
  )
  var data: String?

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
    let source = try saved.sampler(sampler, data: data)
    guard Launcher.isRoot else { return }
    let images = withoutGradients {
      saved.loaded.model.sample(
        count, from: source, using: RandomSource(seed: seed).derived("samples"))
    }
    let title = saved.title("\(count) samples")
    let named = sampler.map { "-\($0.rawValue)" } ?? ""
    let name = "sample-\(saved.state.step)\(named)-seed\(seed)"
    let paths = try figures.write(name, in: saved.pictures) {
      try Pictures.writeSamples(images, title: title, to: $0)
    }
    print("\(count) images drawn from \(saved.checkpoint): \(paths)")
  }
}
