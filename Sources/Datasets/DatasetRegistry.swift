import Glibc
import SystemPackage

/// The data sets by name. A new one is a file in `Sets` and a line in `all`.
public enum DatasetRegistry {
  /// Every data set.
  public static let all: [Entry] = [.mnist, .fashionMNIST, .synthetic, .synthetic8, .synthetic16]

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
    public let shape: ImageShape
    /// Images in the official training split.
    public let trainCount: Int
    /// Images in the official test split.
    public let testCount: Int
    /// The name of each class; empty if it has none.
    public let classNames: [String]

    let origin: Origin

    /// Images in an official split.
    public func count(of split: Split) -> Int { split == .train ? trainCount : testCount }

    /// Whether it is computed, so that no file is needed.
    public var isGenerated: Bool {
      if case .generated = origin { true } else { false }
    }

    /// How to get its files; nil if it needs none.
    public var instructions: String? {
      if case .files(let files) = origin { files.instructions } else { nil }
    }

    /// The folders that are looked in, in this order, when none is given.
    public func places(dataRoot: FilePath? = DatasetRegistry.dataRoot) -> [FilePath] {
      guard case .files(let files) = origin else { return [] }
      let roots = [FilePath("data")] + (dataRoot.map { [$0] } ?? [])
      return roots.map { $0.appending(name) } + files.systemFolders
    }

    /// Loads a split, from `folder` if one is given, else from the first of `places` that has it.
    ///
    /// A generated set depends on `seed` alone; a set of files takes its count from the files.
    /// - Throws: `DatasetError` if files are missing or damaged; it names every place looked in.
    public func load(
      _ split: Split, at folder: FilePath? = nil,
      dataRoot: FilePath? = DatasetRegistry.dataRoot, seed: UInt64 = 0
    ) throws(DatasetError) -> ImageSet {
      switch origin {
      case .generated(let generate):
        return generate(self, split, seed)
      case .files(let files):
        let folders = folder.map { [$0] } ?? places(dataRoot: dataRoot)
        return try files.read(self, split, try files.locate(split, of: name, in: folders))
      }
    }
  }

  /// Where a data set comes from.
  enum Origin: Sendable {
    case generated(@Sendable (Entry, Split, _ seed: UInt64) -> ImageSet)
    case files(FileOrigin)
  }
}
