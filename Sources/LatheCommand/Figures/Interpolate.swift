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

struct Interpolate: SharedFigure {
  static let configuration = CommandConfiguration(
    abstract: "Shows what lies between the codes of two images, or along an attribute.",
    usage: "lathe interpolate RUN [options]",
    discussion: """
      Without --attribute each row goes from a test image to another: the image, its code decoded, \
      codes between the two decoded, the other's code decoded, the other image. Pairs are images 0 \
      and 1, 2 and 3 … of the test split, from --first on; fewer rows if there are fewer images.
        lathe interpolate RUN --along slerp

      With --attribute, for data sets that have attributes: d is the mean code of the training \
      images with it minus the mean of those without, and a row shows the decoding of E(x) + t d \
      for t from -REACH to REACH around the test image x itself. The upper rows are images without \
      the attribute, the lower ones with it.
        lathe interpolate RUN --attribute Smiling --attribute Male
      All ranks of mpirun encode the training images; the bits are the same on any number.
      """)

  @OptionGroup var source: RunOptions
  @OptionGroup var figures: FigureOptions

  @Option(help: "Rows (default: 8, with --attribute 4).")
  var rows: Int?

  @Option(help: "Codes in a row, an odd number with --attribute (default: 8, with --attribute 5).")
  var frames: Int?

  @Option(help: "linear, or slerp: along the great circle (default: linear); not with --attribute.")
  var along: InterpolationPath?

  @Option(help: "Number of the first test image.")
  var first = 0

  @Option(help: "Name of an attribute, such as Smiling; may be repeated.")
  var attribute: [String] = []

  @Option(help: "The largest t along an attribute (default: 2); with --attribute only.")
  var reach: Float?

  func validate() throws {
    try check("--rows", rows, in: 1...100)
    try check("--frames", frames, in: 2...50)
    try check("--first", first, atLeast: 0)
    guard attribute.isEmpty || (frames ?? 5) % 2 == 1 else {
      throw ValidationError(
        "--frames: expected an odd number, with the image itself in the middle, found \(frames!)"
      )
    }
    if let reach, !(reach > 0 && reach.isFinite) {
      throw ValidationError("--reach: expected a positive number, found \(reach)")
    }
    guard attribute.isEmpty || along == nil else {
      throw ValidationError("--along: not with --attribute, which is a direction of its own")
    }
    guard !attribute.isEmpty || reach == nil else {
      throw ValidationError("--reach: with --attribute only")
    }
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    if Launcher.isRoot { try figures.prepare(in: saved.pictures) }
    let test = try saved.images(.test, at: source.data)
    guard attribute.isEmpty else {
      return try AttributeSheet(command: self, saved: saved, test: test).write()
    }
    if RankedJob.isLeftToRoot() { try pairs(saved, test) }
  }

  // MARK: Pairs

  private func pairs(_ saved: SavedRun, _ test: ImageSet) throws {
    let (frames, along) = (frames ?? 8, along ?? .linear)
    let found = try test.available(2 * (rows ?? 8), from: first)
    let rows = found.count / 2
    guard rows > 0 else {
      throw CommandFailure.data("expected at least 2 test images from \(first) on, found 1")
    }
    let steps = (0..<frames).map { Float($0) / Float(frames - 1) }
    let cells = cells(of: test.tensor(first..<first + 2 * rows), steps, along, saved)
    var grid = SampleGrid(
      columns: frames + 2, title: saved.title("\(along.rawValue) between test images"))
    let captions = ["image"] + steps.map { "t=" + String(format: "%.2f", $0) } + ["image"]
    grid.captions = (0..<rows).flatMap { _ in captions }
    let paths = try figures.write(
      "\(saved.pictureName("interpolations"))-\(along.rawValue)", in: saved.pictures
    ) {
      try grid.write(Tiles(cells, shape: test.shape), to: $0)
    }
    print("\(rows) pairs of test images, \(frames) \(along.rawValue) codes between each")
    print("written          \(paths)")
  }

  /// For each pair of images: the first, the decoded codes from one to the other, the second.
  private func cells(
    of images: Tensor, _ steps: [Float], _ along: InterpolationPath, _ saved: SavedRun
  ) -> [[Float]] {
    let model = saved.loaded.model
    let originals = images.rows
    let codes = withoutGradients { model.encode(images).rows }
    return stride(from: 0, to: originals.count, by: 2).flatMap { first in
      let path = steps.map { along.code(from: codes[first], to: codes[first + 1], at: $0) }
      let decoded = withoutGradients { model.decode(Tensor(rows: path)).rows }
      return [originals[first]] + decoded + [originals[first + 1]]
    }
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
