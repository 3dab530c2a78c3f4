import ArgumentParser
import LatheFiles
import LatheKernels
import LatheTensors
import LatheTraining
import SystemPackage

struct Decode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes images of codes that are in a NumPy array.",
    usage: "lathe decode RUN CODES --out PLACE [options]",
    discussion: """
      PNG files 000000.png, 000001.png … in a folder, or one array:
        lathe decode RUN codes.npz --out pictures
        lathe decode RUN codes.npy --out images.npy
      CODES has one code in each row, [images, dimensions] of float32 or float64; of an .npz file
      the array `codes` is read. An array of images is [images, height, width, channels] in [0, 1],
      or 0 to 255 with --dtype uint8; in an .npz file it is called `arr_0`.
      """)

  @OptionGroup var source: RunOptions

  @Argument(help: "A file of codes, .npy or .npz.", completion: .file(extensions: ["npy", "npz"]))
  var codes: String

  @Option(help: "Numbers of an array: float32 or uint8.")
  var dtype: ArrayElement = .float32

  @Option(help: "A folder for PNG files, or the file to write, NAME.npy or NAME.npz.")
  var out: String

  func run() throws {
    Workers.setCount(source.threads)
    let saved = try source.run()
    let rows = try failing { try read(FilePath(codes)) }
    try requireCodes(rows, of: saved.loaded.latentSize)
    let count = rows.shape[0]
    let world = try RankedJob.start().world
    let written = try ImageWriting(
      out: out, count: count, dataset: saved.dataset, element: dtype
    ).run(on: world, TaskProgress(after: 2)) { saved.loaded.model.decode(tensor(rows, $0)) }
    guard let written else { return }
    print("\(counted(count, "image")) of codes in \(codes)")
    print("written          \(written)")
  }

  private func read(_ path: FilePath) throws -> NumPyArray {
    guard path.extension?.lowercased() == "npz" else {
      return try NumPyArray(FileSystem.contents(of: path), path: path)
    }
    return try NumPyArchive(path).array("codes")
  }

  private func requireCodes(_ rows: NumPyArray, of size: Int) throws {
    guard rows.shape.count == 2, rows.shape[1] == size, rows.shape[0] > 0 else {
      throw CommandFailure.data(
        "\(codes): expected codes [images, \(size)], found an array \(rows.shape)")
    }
    if let place = rows.values.firstIndex(where: { !$0.isFinite }) {
      throw CommandFailure.data(
        "\(codes): expected finite numbers, found \(rows.values[place]) in row \(place / size)")
    }
  }

  private func tensor(_ rows: NumPyArray, _ range: Range<Int>) -> Tensor {
    let size = rows.shape[1]
    let values = rows.values[range.lowerBound * size..<range.upperBound * size]
    return Tensor(values.map { Float($0) }, shape: [range.count, size])
  }
}
