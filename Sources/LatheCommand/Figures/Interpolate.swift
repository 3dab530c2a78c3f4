import LatheNN
import ArgumentParser
import LatheData
import Foundation
import LatheKernels
import LatheModels
import LatheReports
import SystemPackage
import LatheTensors
import LatheTraining

struct Interpolate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what lies between the codes of two images, or along an attribute.",
    discussion: """
      Without --attribute each row goes from a test image to another: the image, its code decoded, codes between the
      two decoded, the other's code decoded, the other image. Pairs are images 0 and 1, 2 and 3 … of the test split,
      from --first on.

      With --attribute, for data sets that have attributes: d is the mean code of the training images with it less the
      mean of those without, and a row shows the decoding of E(x) + t d for t from -REACH to REACH around the test
      image x itself. The upper rows are images without the attribute, the lower ones with it.
        lathe interpolate RUN --attribute Smiling --attribute Male
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var figures: FigureOptions

  @Option(help: "Rows.")
  var rows: Int?

  @Option(help: "Codes in a row; odd with --attribute.")
  var frames: Int?

  @Option(help: "linear, or slerp: along the great circle (without --attribute).")
  var along: InterpolationPath = .linear

  @Option(help: "Number of the first test image.")
  var first = 0

  @Option(help: "Name of an attribute, such as Smiling; may be repeated.")
  var attribute: [String] = []

  @Option(help: "The largest t along an attribute.")
  var reach: Float = 2

  func validate() throws {
    guard (1...100).contains(rows ?? 1), (2...50).contains(frames ?? 2), first >= 0 else {
      throw ValidationError(
        "expected 1 to 100 --rows, 2 to 50 --frames and --first of at least 0, found \(rows ?? 1), \(frames ?? 2), \(first)"
      )
    }
    guard attribute.isEmpty || (frames ?? 5) % 2 == 1 else {
      throw ValidationError(
        "--frames: expected an odd number, so that the image itself is in the middle, found \(frames!)"
      )
    }
    guard reach > 0, reach.isFinite else {
      throw ValidationError("--reach: expected a positive number, found \(reach)")
    }
    guard attribute.count < 2 || !figures.isFile else {
      throw ValidationError("--out: expected a folder for \(attribute.count) figures, found a file")
    }
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try SavedRun(source.folder, step: source.step)
    let test = try saved.images(.test, at: source.data)
    if attribute.isEmpty { return try pairs(saved, test) }
    try AttributeSheet(command: self, saved: saved, test: test).write()
  }

  // MARK: Pairs

  private func pairs(_ saved: SavedRun, _ test: ImageSet) throws {
    let (rows, frames) = (rows ?? 8, frames ?? 8)
    guard first + 2 * rows <= test.count else {
      throw CommandFailure.usage(
        "\(rows) pairs from image \(first) on: the test split has \(test.count) images")
    }
    let images = test.tensor(first..<first + 2 * rows)
    let steps = (0..<frames).map { Float($0) / Float(frames - 1) }
    let decoded = withoutGradients {
      let codes = saved.loaded.model.encode(images).rows
      return saved.loaded.model.decode(
        Tensor(
          rows: (0..<rows).flatMap { row in
            steps.map { along.code(from: codes[2 * row], to: codes[2 * row + 1], at: $0) }
          }))
    }.rows
    let originals = images.rows
    var cells: [[Float]] = []
    for row in 0..<rows {
      cells.append(originals[2 * row])
      cells += decoded[row * frames..<(row + 1) * frames]
      cells.append(originals[2 * row + 1])
    }
    var grid = SampleGrid(
      columns: frames + 2, title: saved.title("\(along.rawValue) between test images"))
    let captions = ["image"] + steps.map { "t=" + String(format: "%.2f", $0) } + ["image"]
    grid.captions = (0..<rows).flatMap { _ in captions }
    let paths = try figures.write(
      "interpolate-\(saved.state.step)-\(along.rawValue)", in: saved.pictures
    ) {
      try grid.write(Tiles(cells, shape: test.shape), to: $0)
    }
    print(
      "\(rows) pairs of test images, \(frames) codes on the \(along.rawValue) way between each: \(paths)"
    )
  }
}

extension InterpolationPath: ExpressibleByArgument {}

extension Tiles {
  /// Images as rows of values in [0, 1].
  init(_ images: [[Float]], shape: ImageShape) {
    self.init(
      count: images.count, height: shape.height, width: shape.width, channels: shape.channels,
      values: images.flatMap { $0 })
  }
}
