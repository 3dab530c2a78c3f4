import ArgumentParser
import LatheData
import LatheDistributed
import LatheFiles
import LatheNN
import LatheReports
import LatheTensors
import LatheTraining
import SystemPackage

/// The type of the numbers in an array of images.
enum ArrayElement: String, ExpressibleByArgument, CaseIterable {
  case float32, uint8
}

/// Many images or vectors written one by one: PNG files in a folder, or one array in a `.npy` or
/// `.npz` file.
enum ImageOutput {
  case folder(FilePath, digits: Int)
  case array(NumPyWriter, ArrayElement, FilePath)

  /// Whether `--out` names a place for images one by one, and not for one picture of them all.
  static func suits(_ out: String) -> Bool {
    let ending = FilePath(out).extension?.lowercased()
    return ending == nil || ending == "npy" || ending == "npz"
      || FileSystem.isFolder(FilePath(out))
  }

  /// - Throws: `CommandFailure` (73), 64 for an ending that is none of these.
  init(_ out: String, count: Int, dataset: Dataset, _ element: ArrayElement) throws {
    let path = FilePath(out)
    let ending = path.extension?.lowercased()
    let isFloats = (ending == "npy" || ending == "npz") && element == .float32
    guard isFloats || !dataset.isVectors else {
      throw CommandFailure.usage(
        "--out \(out): expected NAME.npy or NAME.npz, float32, for vectors")
    }
    guard ending == "npy" || ending == "npz", !FileSystem.isFolder(path) else {
      guard ending == nil || FileSystem.isFolder(path) else {
        throw CommandFailure.usage(
          "--out \(out): expected a folder, or a file that ends in .npy or .npz")
      }
      self = try ImageOutput.emptyFolder(path, count)
      return
    }
    let file = try OutputFile(out, option: "--out").path
    let shape = dataset.shape
    let sizes =
      dataset.isVectors
      ? [count, shape.width] : [count, shape.height, shape.width, shape.channels]
    let writer = try failing {
      try NumPyWriter(file, [.init("arr_0", element == .uint8 ? .uint8 : .float32, sizes)])
    }
    self = .array(writer, element, file)
  }

  /// A folder without PNG files of other images, which would be taken for some of these.
  private static func emptyFolder(_ path: FilePath, _ count: Int) throws -> ImageOutput {
    try OutputFile.prepare(folder: path)
    let names = try failing { try FileSystem.names(in: path) }
    if let other = names.first(where: { $0.hasSuffix(".png") }) {
      throw CommandFailure.usage(
        "--out \(path): expected a folder without pictures, found \(other) there")
    }
    return .folder(path, digits: max(6, String(count - 1).count))
  }

  /// Writes images that come after those before, `[n, height, width, channels]` in [0, 1].
  ///
  /// Floats are written in the values of the data set's own arrays.
  func write(_ values: [Float], from first: Int, of dataset: Dataset) throws {
    let shape = dataset.shape
    switch self {
    case .array(let writer, .float32, _):
      try writer.append(dataset.range?.values(of: values) ?? values)
    case .array(let writer, .uint8, _): try writer.append(levels(of: values))
    case .folder(let path, let digits):
      for (place, start) in stride(from: 0, to: values.count, by: shape.count).enumerated() {
        let name = String(first + place)
        let zeros = String(repeating: "0", count: max(0, digits - name.count))
        let pixels = levels(of: values[start..<start + shape.count])
        try Picture(
          width: shape.width, height: shape.height, channels: shape.channels, pixels: pixels
        ).write(to: path.appending(zeros + name + ".png"))
      }
    }
  }

  /// Puts the file in its place; returns where the images are, for a message.
  func finish() throws -> String {
    let rounding = "levels are 255 times the values, rounded to the nearest"
    switch self {
    case .folder(let path, let digits):
      let first = String(repeating: "0", count: digits)
      return "\(path), from \(first).png on; \(rounding)"
    case .array(let writer, let element, let path):
      try writer.finish()
      return "\(path), \(element.rawValue)" + (element == .uint8 ? "; \(rounding)" : "")
    }
  }
}

/// Images that all ranks make, written one by one by rank 0.
struct ImageWriting {
  let out: String
  let count: Int
  let dataset: Dataset
  let element: ArrayElement

  /// Makes the images of each range and writes them; returns where they are, on rank 0 alone.
  /// Collective.
  func run(
    on world: Communicator, _ progress: TaskProgress, _ images: (Range<Int>) throws -> Tensor
  ) throws -> String? {
    let output =
      Launcher.isRoot ? try ImageOutput(out, count: count, dataset: dataset, element) : nil
    var written = 0
    try SharedWork(world: world, progress: progress.show).stream("images", count) {
      try images($0).values
    } take: { values in
      try output?.write(values, from: written, of: dataset)
      written += values.count / dataset.shape.count
    }
    progress.finish()
    return try output.map { output in try failing { try output.finish() } }
  }
}

/// Values in [0, 1] as levels from 0 to 255; what lies outside is cut off.
func levels(of values: some Sequence<Float>) -> [UInt8] {
  values.map { UInt8(max(0, min(255, (255 * $0).rounded()))) }
}
