import ArgumentParser
import LatheData
import LatheKernels
import Foundation
import SystemPackage
import LatheTensors
import LatheTraining

struct Reconstruct: RootCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows images above what a trained model makes of them, as a grid.",
    usage: "lathe reconstruct RUN [options]",
    discussion: """
      The first 64 test images, or as many as there are, or some of the training images:
        lathe reconstruct RUN
        lathe reconstruct RUN --split train --first 100 --count 16
      """)

  @OptionGroup var source: RunOptions

  @Option(help: "The split that the images are of: train, validation or test.")
  var split: Split = .test

  @Option(help: "Number of images.")
  var count = 64

  @Option(help: "Number of the first image.")
  var first = 0

  @OptionGroup var figures: FigureOptions

  func validate() throws {
    try check("--count", count, in: 1...10_000)
    try check("--first", first, atLeast: 0)
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    try figures.prepare(in: saved.pictures)
    let images = try saved.images(split, at: source.data)
    let originals = images.tensor(try images.available(count, from: first))
    let reconstructions = withoutGradients {
      saved.loaded.model.reconstruct(
        originals, using: RandomSource(seed: saved.state.run.optimization.seed))
    }
    let title = saved.title("\(split.rawValue) images above their reconstructions")
    let paths = try figures.write(
      "\(saved.pictureName("reconstructions"))-\(split.rawValue)", in: saved.pictures
    ) { try Pictures.writeReconstructions(originals, reconstructions, title: title, to: $0) }
    let error = String(format: "%.5g", (originals - reconstructions).squared.mean().scalar)
    print("\(originals.shape[0]) \(split.rawValue) images, mean squared error per pixel \(error)")
    print("written          \(paths)")
  }
}

extension Split: ExpressibleByArgument {}
