import ArgumentParser
import LatheData
import LatheFiles
import LatheKernels
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
        lathe encode RUN --data images.npz --out codes.npy
      A file that ends in .npy holds the codes alone, float32 [images, dimensions]; one that ends in
      .npz holds `codes` and, where there are any, `labels` (int64).
      """)

  @OptionGroup var source: RunOptions

  @Option(help: .split)
  var split: Split?

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
    let (images, words) = try saved.images(asked: split, at: source.data)
    let coded = try CodedImages(
      saved, images, first: first, count: count, seed: drawn ? seed : nil)
    let world = try RankedJob.start().world
    let progress = TaskProgress(after: 2)
    let writer = try writer(path, coded)
    let count = coded.numbers.count
    try SharedWork(world: world, progress: progress.show).stream("codes", count) {
      coded.codes($0).values
    } take: {
      try writer?.append($0)
    }
    progress.finish()
    guard let writer else { return }
    try failing { try finish(writer, coded) }
    print("\(counted(count, "code")) of \(words), step \(saved.state.step)")
    print("written          \(path)")
  }

  /// On rank 0 alone.
  private func writer(_ path: FilePath, _ coded: CodedImages) throws -> NumPyWriter? {
    guard Launcher.isRoot else { return nil }
    let size = withoutGradients { coded.codes(0..<1).shape[1] }
    let count = coded.numbers.count
    var arrays = [NumPyWriter.Array("codes", .float32, [count, size])]
    if hasLabels(coded, path) { arrays.append(.init("labels", .int64, [count])) }
    return try failing { try NumPyWriter(path, arrays) }
  }

  private func hasLabels(_ coded: CodedImages, _ path: FilePath) -> Bool {
    !coded.images.classNames.isEmpty && path.extension?.lowercased() == "npz"
  }

  private func finish(_ writer: NumPyWriter, _ coded: CodedImages) throws {
    if hasLabels(coded, writer.path) {
      try writer.append(coded.numbers.map { Int64(coded.images.labels[$0]) }, to: 1)
    }
    try writer.finish()
  }
}
