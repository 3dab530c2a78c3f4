import LatheFiles
import LatheNN
import Glibc
import SystemPackage

/// The data sets by name. A new one is a file in `Sets` and a line in `all`.
public enum DatasetRegistry {
  /// Every data set.
  public static let all: [Entry] = [
    .mnist, .fashionMNIST, .cifar10, .celebA, .folder, .synthetic, .synthetic8, .synthetic16,
  ]

  /// The data set of that name.
  public static func entry(named name: String) -> Entry? { all.first { $0.name == name } }

  /// The folder in which data sets are looked for besides `data`: the value of `LATHE_DATA`.
  public static var dataRoot: FilePath? {
    guard let value = getenv("LATHE_DATA"), value.pointee != 0 else { return nil }
    return FilePath(platformString: value)
  }
}

extension DatasetRegistry {
  /// What is known of a data set before any file is read, and the way to load it.
  public struct Entry: Sendable {
    /// The name on the command line.
    public let name: String
    /// One line for a listing.
    public let summary: String
    /// The shape of its images.
    public internal(set) var shape: ImageShape
    /// Images in the official training split; 0 if there is none.
    public let trainCount: Int
    /// Images in the official validation split; 0 if there is none.
    public private(set) var validationCount = 0
    /// Images in the official test split.
    public let testCount: Int
    /// The name of each class; empty if it has none.
    public let classNames: [String]
    /// How its pictures are prepared; nil if it has none.
    public internal(set) var preparation: Preparation?

    let origin: Origin

    /// Images in an official split.
    public func count(of split: Split) -> Int {
      switch split {
      case .train: trainCount
      case .validation: validationCount
      case .test: testCount
      }
    }

    /// The splits that it can have.
    public var splits: [Split] {
      isPacked ? Split.allCases : Split.allCases.filter { count(of: $0) > 0 }
    }

    /// Whether it is computed, so that no file is needed.
    public var isGenerated: Bool {
      if case .generated = origin { true } else { false }
    }

    /// How to get its files; nil if it needs none.
    public var instructions: String? {
      switch origin {
      case .generated: nil
      case .files(let files): files.instructions
      case .places(let places): places.instructions
      case .pictures(let pictures): pictures.instructions
      }
    }

    /// The folders that are looked in, in this order, when none is given.
    public func places(dataRoot: FilePath? = DatasetRegistry.dataRoot) -> [FilePath] {
      if isGenerated { return [] }
      let roots = [FilePath("data")] + (dataRoot.map { [$0] } ?? [])
      let folders = roots.map { $0.appending(name) }
      if case .files(let files) = origin { return folders + files.systemFolders }
      return folders
    }

    /// Loads a split, from `folder` if one is given, else from the first of `places` that has it.
    ///
    /// A generated set depends on `seed` alone; a set of files takes its count from the files; pictures are packed into
    /// the cache first if they are not.
    /// - Throws: `FileError` if files are missing or damaged; it names every place looked in.
    public func load(
      _ split: Split, at folder: FilePath? = nil,
      dataRoot: FilePath? = DatasetRegistry.dataRoot, seed: UInt64 = 0
    ) throws(FileError) -> ImageSet {
      guard splits.contains(split) else {
        throw FileError(
          .missing, "\(name), \(split.rawValue) split",
          expected: splits.map(\.rawValue).joined(separator: " or "), found: split.rawValue)
      }
      switch origin {
      case .generated(let generate):
        return generate(self, split, seed)
      case .files(let files):
        let folders = folder.map { [$0] } ?? places(dataRoot: dataRoot)
        return try files.read(self, split, try files.locate(split, of: name, in: folders))
      case .places(let origin):
        return try origin.load(self, split, from: folder.map { [$0] } ?? places(dataRoot: dataRoot))
      case .pictures:
        return try loadPacked(split, at: folder, dataRoot: dataRoot)
      }
    }
  }

  /// Where a data set comes from.
  enum Origin: Sendable {
    case generated(@Sendable (Entry, Split, _ seed: UInt64) -> ImageSet)
    case files(FileOrigin)
    case places(PlaceOrigin)
    case pictures(PictureOrigin)
  }
}
