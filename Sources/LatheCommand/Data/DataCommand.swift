import ArgumentParser
import LatheData
import LatheFiles
import LatheNN
import LatheTraining
import Foundation
import SystemPackage

/// The command `lathe data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Fetches, packs, checks and shows data sets.",
    discussion: """
      Pictures (CelebA, your own folder) are decoded, cropped, resized and packed into one file \
      before use; `train` does that by itself. To do it ahead, on two ranks:
        mpirun -n 2 lathe data pack celeba --data DIR --crop 140 --out celeba.pack
        lathe train flexae celeba --data celeba.pack
      """,
    subcommands: [DataGet.self, DataPack.self, DataVerify.self, DataShow.self, DataStats.self])
}

/// Which data set, where, and how its pictures are prepared.
struct DataOptions: ParsableArguments {
  @Argument(
    help: "The data set (`lathe datasets` lists them), a packed file, or arrays, .npy or .npz.",
    completion: .datasets)
  var dataset: String

  @Option(
    help: "Folder, archive or packed file of the data set (default: where it is usually found).",
    completion: .file())
  var data: String?

  @OptionGroup var pictures: PictureOptions

  @Flag(
    help: "Leave out damaged pictures and those on which lists and folder disagree, and list them.")
  var skipCorrupt = false

  @Option(parsing: .unconditional, help: .setting("range"))
  var range: String?

  func validate() throws { _ = try ValueRange.asked(range) }

  /// The packed file that was named instead of a data set; it may be damaged.
  var packedFile: FilePath? {
    let path = FilePath(dataset)
    let isOtherFile =
      Registered.datasets[dataset] == nil && FileSystem.isFile(path) && !isArrayFile(dataset)
    return PackedFile.isPacked(path) || isOtherFile ? path : nil
  }

  /// The data set, with pictures prepared as asked for; a packed file's is what the file says.
  func entry() throws -> Dataset {
    if let path = arrayFile { return try arrays(at: path, range: .asked(range)) }
    guard range == nil else { throw CommandFailure.usage("--range: for arrays only") }
    guard let packedFile else {
      return try pictures.applied(to: LatheCommand.dataset(named: dataset))
    }
    let file = try failing { try PackedFile(packedFile) }
    guard let entry = Registered.datasets[file.dataset], entry.isPacked else {
      let known = Registered.datasets.datasets.filter(\.isPacked).map(\.name)
      throw CommandFailure.data(
        "\(packedFile): expected images of \(known.joined(separator: " or ")), "
          + "found \(file.dataset.printable)")
    }
    return entry.prepared(as: file.preparation)
  }

  /// The array file that was named instead of a data set, or as the place of `arrays`.
  private var arrayFile: FilePath? {
    if isArrayFile(dataset) { return FilePath(dataset) }
    return dataset == Dataset.arrays.name ? data.map { FilePath($0) } : nil
  }

  /// Where the data set lies, if the user said.
  var place: FilePath? { packedFile ?? data.map { FilePath($0) } }

  /// The place to load from: for pictures their packed file, which is made now if need be.
  func packedPlace(of entry: Dataset) throws -> FilePath? {
    try entry.packedPlace(place, cache: pictures.cacheFolder, skipsCorrupt: skipCorrupt)
  }
}

/// How pictures are prepared, for data sets that have any.
struct PictureOptions: ParsableArguments {
  @Option(
    help:
      "Side of the centred square cropped from each picture (default: 140 for celeba, or all)."
  )
  var crop: Int?

  @Option(help: "Side of the prepared images (default: 64).")
  var size: Int?

  @Option(help: "How pictures are resized: bilinear or lanczos (default: bilinear).")
  var filter: ResizeFilter?

  @Option(help: "Folder of packed files (default: $LATHE_CACHE, else ~/.cache/lathe).")
  var cache: String?

  func validate() throws {
    try check("--crop", crop, in: 1...4096)
    try check("--size", size, in: 1...4096)
  }

  var cacheFolder: FilePath { cache.map { FilePath($0) } ?? DatasetRegistry.cacheFolder }

  /// The data set with these settings over its own.
  ///
  /// - Throws: `CommandFailure` if there is a setting and the data set has no pictures.
  func applied(to entry: Dataset) throws -> Dataset {
    guard var preparation = entry.preparation else {
      guard crop == nil, size == nil, filter == nil else {
        throw CommandFailure.usage(
          "--crop, --size, --filter: \(entry.name) has no pictures to prepare")
      }
      return entry
    }
    preparation.crop = crop ?? preparation.crop
    preparation.size = size ?? preparation.size
    preparation.filter = filter ?? preparation.filter
    if entry.name == "celeba", let crop = preparation.crop, crop > 178 {
      throw CommandFailure.usage(
        "--crop: expected at most 178, the width of the pictures, found \(crop)")
    }
    return entry.prepared(as: preparation)
  }
}

extension ResizeFilter: ExpressibleByArgument {}

extension ValueRange {
  /// What `--range` says, if it was given.
  ///
  /// - Throws: `ValidationError` for what is no range.
  static func asked(_ text: String?) throws -> ValueRange? {
    guard let text else { return nil }
    guard let range = ValueRange(given: .string(text)) else {
      throw ValidationError("--range: expected \(expectation), found \(text)")
    }
    return range
  }
}
