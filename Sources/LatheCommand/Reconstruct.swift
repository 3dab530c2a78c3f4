import ArgumentParser
import LatheData
import Foundation
import SystemPackage
import LatheTensors
import LatheTraining

struct Reconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows images above what a trained model makes of them, as a grid.")

  @Argument(help: ArgumentHelp("A run's folder, or one of its checkpoints.", valueName: "run"))
  var folder: String

  @Option(
    help:
      "Folder of the data set's files (default: where the run had them, or where they are usually found)."
  )
  var data: String?

  @Option(help: "Take the images from this split: train or test.")
  var split: Split = .test

  @Option(help: "Number of images.")
  var count = 64

  @Option(help: "Number of the first image.")
  var first = 0

  @Option(help: "Use the checkpoint after this many steps instead of the newest.")
  var step: Int?

  @OptionGroup var figures: FigureOptions

  func validate() throws {
    guard (1...10_000).contains(count), first >= 0 else {
      throw ValidationError(
        "--count \(count) from --first \(first): expected 1 to 10,000 from 0 or later")
    }
  }

  func run() throws {
    let saved = try SavedRun(folder, step: step)
    let images = try saved.images(split, at: data)
    guard first + count <= images.count else {
      throw CommandFailure.usage(
        "images \(first) to \(first + count - 1) of the \(split.rawValue) split, which has \(images.count)"
      )
    }
    let originals = images.tensor(first..<first + count)
    let made = withoutGradients {
      saved.loaded.model.reconstruct(originals, using: RandomSource(seed: saved.state.seed))
    }
    let title = saved.title("\(split.rawValue) images above their reconstructions")
    let paths = try figures.write(
      "reconstruct-\(saved.state.step)-\(split.rawValue)", in: saved.pictures
    ) { try Pictures.writeReconstructions(originals, made, title: title, to: $0) }
    let error = (originals - made).squared.mean().scalar
    print(
      "\(count) images of the \(split.rawValue) split, mean squared error per pixel \(error): \(paths)"
    )
  }
}

extension Split: ExpressibleByArgument {}
