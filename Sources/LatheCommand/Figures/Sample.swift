import ArgumentParser
import Foundation
import LatheKernels
import LatheModels
import SystemPackage
import LatheTensors

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws images from a trained model, as a grid.",
    usage: "lathe sample RUN [options]",
    discussion: """
      A sampler that is fitted to the codes of the training images is kept beside the checkpoint; \
      where there is none it is fitted first, which mpirun makes faster:
        mpirun -n 2 lathe sample RUN --sampler gmm
      """)

  @OptionGroup var source: RunOptions

  @Option(help: "Number of images.")
  var count = 64

  @Option(help: "Where codes come from (default: as in training).")
  var sampler: Sampler.Name?

  @Option(help: "Seed of the noise.")
  var seed: UInt64 = 0

  @OptionGroup var figures: FigureOptions

  func validate() throws {
    try check("--count", count, in: 1...10_000)
    try checkSeed(seed)
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    if Launcher.isRoot { try figures.prepare(in: saved.pictures) }
    let codes = try saved.sampler(sampler, data: source.data)
    guard Launcher.isRoot else { return }
    let images = withoutGradients {
      saved.loaded.model.sample(
        count, from: codes, using: RandomSource(seed: seed).derived("samples"))
    }
    let title = saved.title("\(count) samples")
    let named = sampler.map { "-\($0.rawValue)" } ?? ""
    let name = "\(saved.pictureName("samples"))\(named)-seed\(seed)"
    let paths = try figures.write(name, in: saved.pictures) {
      try Pictures.writeSamples(images, title: title, to: $0)
    }
    print("\(count) images drawn from \(saved.checkpoint)")
    print("written          \(paths)")
  }
}
