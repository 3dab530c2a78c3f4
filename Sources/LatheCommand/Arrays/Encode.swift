import ArgumentParser
import LatheData
import LatheFiles
import LatheKernels
import LatheModels
import LatheTensors
import LatheTraining
import SystemPackage

struct Encode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the codes of images as a NumPy array.",
    usage: "lathe encode RUN --out FILE [options]",
    discussion: """
      The codes of all test images, with the labels beside them in an .npz file:
        lathe encode RUN --out codes.npz
      Of other images, over four ranks; the codes are the same on any number:
        mpirun -n 4 lathe encode RUN --data DIR --split train --out codes.npy
      A file that ends in .npy holds the codes alone, float32 [images, dimensions]; one that ends in
      .npz holds `codes` and, where there are any, `labels` (int64).
      """)

  @OptionGroup var source: RunOptions

  @Option(help: "The split that the images are of: train, validation or test.")
  var split: Split = .test

  @Option(help: "Number of images (default: all).")
  var count: Int?

  @Option(help: "Number of the first image.")
  var first = 0

  @Flag(help: "Draw codes from the posterior, where the model has one, instead of its mean.")
  var drawn = false

  @Option(help: "What codes are drawn from.")
  var seed: UInt64 = 0

  @Option(help: "The file to write, NAME.npy or NAME.npz.")
  var out: String

  func validate() throws {
    try check("--count", count, atLeast: 1)
    try check("--first", first, atLeast: 0)
    try checkSeed(seed)
    guard ["npy", "npz"].contains(FilePath(out).extension?.lowercased()) else {
      throw ValidationError("--out \(out): expected a file that ends in .npy or .npz")
    }
  }

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    let path = try OutputFile(out, option: "--out").path
    let images = try saved.images(split, at: source.data)
    let numbers = try numbers(of: images)
    let world = try RankedJob.start().world
    let progress = TaskProgress(after: 2)
    let writer = try writer(path, images, numbers, saved)
    try SharedWork(world: world, progress: progress.show).stream("codes", numbers.count) {
      codes(
        of: $0.lowerBound + numbers.lowerBound..<$0.upperBound + numbers.lowerBound, images, saved)
    } take: {
      try writer?.append($0)
    }
    progress.finish()
    guard let writer else { return }
    try failing { try finish(writer, images, numbers) }
    print("\(counted(numbers.count, "code")) of \(split.rawValue) images, step \(saved.state.step)")
    print("written          \(path)")
  }

  private func numbers(of images: ImageSet) throws -> Range<Int> {
    guard first < images.count, count ?? 0 <= images.count - first else {
      throw CommandFailure.usage(
        "\(count.map { "\($0) images" } ?? "images") from image \(first) on of the "
          + "\(split.rawValue) split, which has \(images.count)")
    }
    return first..<first + (count ?? images.count - first)
  }

  /// A code depends on its image's number alone: draws are those of one image.
  private func codes(of range: Range<Int>, _ images: ImageSet, _ saved: SavedRun) -> [Float] {
    let model = saved.loaded.model
    guard drawn else { return model.encode(images.tensor(range)).values }
    let random = RandomSource(seed: seed).derived("codes")
    return range.flatMap {
      model.sampleCodes(of: images.tensor($0..<$0 + 1), using: random.derived($0)).values
    }
  }

  /// On rank 0 alone.
  private func writer(
    _ path: FilePath, _ images: ImageSet, _ numbers: Range<Int>, _ saved: SavedRun
  ) throws -> NumPyWriter? {
    guard Launcher.isRoot else { return nil }
    let size = withoutGradients { saved.loaded.model.encode(images.tensor(0..<1)).shape[1] }
    var arrays = [NumPyWriter.Array("codes", .float32, [numbers.count, size])]
    if hasLabels(images, path) { arrays.append(.init("labels", .int64, [numbers.count])) }
    return try failing { try NumPyWriter(path, arrays) }
  }

  private func hasLabels(_ images: ImageSet, _ path: FilePath) -> Bool {
    !images.classNames.isEmpty && path.extension?.lowercased() == "npz"
  }

  private func finish(_ writer: NumPyWriter, _ images: ImageSet, _ numbers: Range<Int>) throws {
    if hasLabels(images, writer.path) {
      try writer.append(numbers.map { Int64(images.labels[$0]) }, to: 1)
    }
    try writer.finish()
  }
}
