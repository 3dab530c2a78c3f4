import LatheFiles
import LatheNN
import SystemPackage

/// What is known of a data set before any file is read, and the way to load it.
///
/// A program supplies its own with ``init(_:summary:train:validation:test:)``, from arrays, or with
/// ``init(_:summary:shape:classNames:splits:instructions:load:)``, from anywhere.
public struct Dataset: Sendable {
  /// The name on the command line.
  public let name: String
  /// One line for a listing.
  public let summary: String
  /// The shape of its images.
  public internal(set) var shape: ImageShape
  /// The splits that it can have.
  public let splits: [Split]
  /// The name of each class; empty if it has none.
  public let classNames: [String]
  /// How its pictures are prepared; nil if it has none.
  public internal(set) var preparation: Preparation?
  /// Whether damaged pictures are left out when they are packed, rather than ending the work.
  public internal(set) var skipsDamaged = false

  /// Images in each official split, to tell the whole from a part; empty if there is no such
  /// number.
  let officialCounts: [Split: Int]
  let origin: Origin

  init(
    name: String, summary: String, shape: ImageShape, officialCounts: [Split: Int] = [:],
    splits: [Split] = [.train, .test], classNames: [String] = [],
    preparation: Preparation? = nil, origin: Origin
  ) {
    self.name = name
    self.summary = summary
    self.shape = shape
    self.officialCounts = officialCounts
    self.splits = splits
    self.classNames = classNames
    self.preparation = preparation
    self.origin = origin
  }

  /// Where a data set comes from.
  enum Origin: Sendable {
    case generated(@Sendable (Dataset, Split, _ seed: UInt64) -> ImageSet)
    case files(FileOrigin)
    case places(PlaceOrigin)
    case pictures(PictureOrigin)
    case arrays(ArrayOrigin)
    case supplied(instructions: String?, Loader)
  }

  /// Loads a split of a data set; see
  /// ``init(_:summary:shape:classNames:splits:instructions:load:)``.
  public typealias Loader =
    @Sendable (_ split: Split, _ place: FilePath?, _ seed: UInt64) throws -> ImageSet

  /// Images in the official training split; 0 if there is no such number.
  public var trainCount: Int { count(of: .train) }
  /// Images in the official test split; 0 if there is no such number.
  public var testCount: Int { count(of: .test) }
  /// Images in an official split; 0 if there is no such number.
  public func count(of split: Split) -> Int { officialCounts[split] ?? 0 }
}

// MARK: Supplied by a program

extension Dataset {
  /// A data set held in memory. The sets must have images of one shape and the same classes.
  public init(
    _ name: String, summary: String = "", train: ImageSet, validation: ImageSet? = nil,
    test: ImageSet
  ) {
    let sets = [Split.train: train, .validation: validation, .test: test].compactMapValues { $0 }
    for set in sets.values {
      require(
        set.shape == train.shape && set.classNames == train.classNames,
        "Dataset \(name): images of \(train.shape) and of \(set.shape), or other classes")
    }
    self.init(
      name, summary: summary, shape: train.shape, classNames: train.classNames,
      splits: Split.allCases.filter { sets[$0] != nil }
    ) { split, _, _ in sets[split]! }
  }

  /// A data set that `load` reads or computes.
  ///
  /// `load` is given one of `splits`, the place that the user named with `--data`, nil if none,
  /// and the run's seed. It must return the same images on every rank and each time, of `shape`
  /// and with `classNames`. Give `instructions` if it needs files: a sentence on how to get them.
  public init(
    _ name: String, summary: String = "", shape: ImageShape, classNames: [String] = [],
    splits: [Split] = [.train, .test], instructions: String? = nil, load: @escaping Loader
  ) {
    self.init(
      name: name, summary: summary, shape: shape, splits: splits, classNames: classNames,
      origin: .supplied(instructions: instructions, load))
  }
}

// MARK: Loading

extension Dataset {
  /// Whether it is computed, so that no file is needed.
  public var isGenerated: Bool { instructions == nil }

  /// How to get its files; nil if it needs none.
  public var instructions: String? {
    switch origin {
    case .generated: nil
    case .files(let files): files.instructions
    case .places(let places): places.instructions
    case .pictures(let pictures): pictures.instructions
    case .arrays: Self.arrayInstructions
    case .supplied(let instructions, _): instructions
    }
  }

  /// The folders that are looked in, in this order, when none is given.
  public func places(dataRoot: FilePath? = DatasetRegistry.dataRoot) -> [FilePath] {
    switch origin {
    case .generated, .supplied, .arrays: return []
    case .files, .places, .pictures: break
    }
    let roots = [FilePath("data")] + (dataRoot.map { [$0] } ?? [])
    let folders = roots.map { $0.appending(name) }
    if case .files(let files) = origin { return folders + files.systemFolders }
    return folders
  }

  /// Loads a split, from `folder` if one is given, else from the first of `places` that has it.
  ///
  /// A generated set depends on `seed` alone; a set of files takes its count from the files;
  /// pictures are packed into the cache first if they are not.
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
    let folders = folder.map { [$0] } ?? places(dataRoot: dataRoot)
    if let folder, takesArrays, ArrayImages.isNamed(folder) {
      return try loadArrays(split, of: folder)
    }
    switch origin {
    case .generated(let generate): return generate(self, split, seed)
    case .files(let files):
      return try files.read(self, split, try files.locate(split, of: name, in: folders))
    case .places(let origin): return try origin.load(self, split, from: folders)
    case .pictures: return try loadPacked(split, at: folder, dataRoot: dataRoot)
    case .arrays(let origin): return try loadArrays(split, origin, at: folder)
    case .supplied(_, let load): return try supplied(split, at: folder, seed, by: load)
    }
  }

  /// Whether an array file may stand in the place of its own files.
  private var takesArrays: Bool {
    switch origin {
    case .files, .places: true
    case .generated, .pictures, .arrays, .supplied: false
    }
  }

  /// Another program's set; an error that isn't about a file becomes one, so that it has a status.
  private func supplied(
    _ split: Split, at place: FilePath?, _ seed: UInt64, by load: Loader
  ) throws(FileError) -> ImageSet {
    let set: ImageSet
    do { set = try load(split, place, seed) } catch let error as FileError { throw error } catch {
      throw FileError(
        .missing, "\(name), \(split.rawValue) split: \(error)", path: place, hint: instructions)
    }
    require(
      set.shape == shape && set.classNames == classNames,
      "Dataset \(name): images of \(set.shape), \(shape) were announced; or other classes")
    return set.renamed(name, split)
  }
}
