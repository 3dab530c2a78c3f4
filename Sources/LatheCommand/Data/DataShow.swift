import ArgumentParser
import LatheData
import Foundation
import LatheReports
import SystemPackage

struct DataShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Draws images with their labels or attributes, as a grid.",
    usage: "lathe data show DATASET [options]",
    discussion: """
        lathe data show fashion-mnist --split test --count 40 --out clothes.svg
      """)

  @OptionGroup var options: DataOptions

  @Option(help: "Take the images from this split: train, validation or test.")
  var split: Split = .train

  @Option(help: "Number of images.")
  var count = 64

  @Option(help: "Number of the first image.")
  var first = 0

  @Option(
    help: """
      An attribute to be named below the images that have it; may be repeated (default: some of \
      CelebA's).
      """)
  var attribute: [String] = []

  @Option(name: .customLong("attributes"), help: .hidden)
  var oldAttributes: String?

  @Option(help: "The picture to write, NAME.png or NAME.svg (default: DATASET-SPLIT.png).")
  var out: String?

  func validate() throws {
    try check("--count", count, in: 1...10_000)
    try check("--first", first, atLeast: 0)
    do { _ = try FigureFormat(of: FilePath(out ?? "")) } catch {
      throw ValidationError("--out \(error)")
    }
  }

  func run() throws {
    let entry = try options.entry()
    let path = try OutputFile(out ?? "\(entry.name)-\(split.rawValue).png", option: "--out").path
    let place = try options.packedPlace(of: entry)
    guard RankedJob.isLeftToRoot() else { return }
    let images = try failing { try entry.load(split, at: place) }
    guard first < images.count else {
      throw CommandFailure.usage(
        "--first \(first): the \(split.rawValue) split has \(images.count) images")
    }
    let shown = first..<min(first + count, images.count)
    var grid = SampleGrid(
      columns: 8, title: "\(entry.name) \(split.rawValue) \(first)-\(shown.upperBound - 1)")
    grid.captions = try captions(images, shown)
    try failing { try grid.write(tiles(images, shown), to: path) }
    print("images \(first) to \(shown.upperBound - 1) of the \(split.rawValue) split")
    print("written          \(path)")
  }

  private func tiles(_ images: ImageSet, _ range: Range<Int>) -> Tiles {
    Tiles(
      count: range.count, height: images.shape.height, width: images.shape.width,
      channels: images.shape.channels,
      values: range.flatMap { images.values(of: $0) })
  }

  private func captions(_ images: ImageSet, _ range: Range<Int>) throws -> [String] {
    if !images.classNames.isEmpty { return range.map { images.classNames[Int(images.labels[$0])] } }
    guard let table = images.attributes else { return [] }
    let numbers = try numbers(in: table.names)
    return range.map { image in
      numbers.filter { table[image, $0] }.map { table.names[$0] }.joined(separator: "\n")
    }
  }

  /// Attributes that are named where nobody asks for others, if the set has them.
  private static let usual = ["Male", "Smiling", "Eyeglasses", "Blond_Hair", "Wearing_Hat"]

  private func numbers(in names: [String]) throws -> [Int] {
    let old = renamedOption(oldAttributes, "--attributes", to: "--attribute").map { [$0] } ?? []
    let asked = (attribute + old).flatMap { $0.split(separator: ",").map(String.init) }
    if asked.isEmpty { return DataShow.usual.compactMap { names.firstIndex(of: $0) } }
    return try asked.map { name in
      if let number = names.firstIndex(of: name) { return number }
      throw CommandFailure.usage(
        "--attribute: no attribute '\(name)'; there are \(names.joined(separator: ", "))")
    }
  }
}
