import LatheFiles
import SystemPackage

/// The pictures of a data set before they are packed: which there are, where they lie, what is
/// known of them.
public struct ImageListing: Sendable {
  /// A picture.
  public struct Item: Sendable {
    /// Its path below the data set's folder or in its archive, as a message shows it.
    public var name: String { file.description }
    /// The part of the data set to which it belongs.
    public let split: Split

    let file: FileName
    /// What was known of the file when it was listed; nil if that is not known.
    let status: FileSystem.Status?

    init(name: String, split: Split) { self.init(FileName(name), split: split) }

    init(_ file: FileName, split: Split, status: FileSystem.Status? = nil) {
      self.file = file
      self.split = split
      self.status = status
    }
  }

  /// The data set's name in the registry.
  public let dataset: String
  /// All training pictures, then all for validation, then all for testing, each in the order of
  /// their list.
  public let items: [Item]
  /// The names of yes-or-no attributes.
  public let attributeNames: [String]
  /// A line for each picture or row that was passed over because the lists disagree.
  public let omissions: [String]
  /// A line for each thing that is to be known of what was read and what was not.
  public var notes: [String] = []

  /// Attributes, a bit each from the lowest, `[items, bytesPerRow]`.
  let attributes: [UInt8]
  /// The person of each picture; empty if not known.
  let identities: [Int32]
  let store: ImageStore
  let requirement: ImageRequirement
  /// CRC-32 of the lists that came with the pictures.
  let listChecksum: UInt32
  /// SHA-256 of these lists; empty without any.
  var listDigest: [UInt8] = []

  static func bytesPerRow(attributes: Int) -> Int { (attributes + 7) / 8 }

  /// The bytes of a picture's file.
  func content(of item: Item) throws(FileError) -> [UInt8] { try store.content(of: item.file) }

  /// The path that names a picture in messages.
  func path(of item: Item) -> FilePath { store.path(of: item.file) }

  /// The split's items.
  func count(of split: Split) -> Int { items.count { $0.split == split } }
}

// MARK: What tells one content from another

extension ImageListing {
  /// SHA-256 of all names, sizes and times of change, of the lists, and of the decoder's version,
  /// 32 bytes.
  var key: [UInt8] { digest { [$0.size, $0.changed] } }

  /// SHA-256 of the same, of inodes, and of the times at which the files' status changed, which
  /// nobody sets at will, 32 bytes.
  var state: [UInt8] {
    digest { [$0.size, $0.changed, $0.statusChanged, Int(truncatingIfNeeded: $0.identity.number)] }
  }

  private func digest(_ facts: (FileSystem.Status) -> [Int]) -> [UInt8] {
    var digest = startOfDigest
    for item in items {
      digest.update(item)
      if case .folder = store {
        (item.status ?? store.status(of: item.file)).map(facts)?.forEach { digest.update($0) }
      }
    }
    if case .zip = store {
      store.status(of: FileName("")).map(facts)?.forEach { digest.update($0) }
    }
    return digest.value
  }

  /// SHA-256 of the data set's name, the lists, and each picture's name and content, 32 bytes;
  /// `digests` are the contents' own.
  func contentDigest(_ digests: some Sequence<[UInt8]>) -> [UInt8] {
    var digest = startOfDigest
    for (item, content) in zip(items, digests) {
      digest.update(item)
      digest.update(content)
    }
    return digest.value
  }

  /// The same from the files as they are now.
  ///
  /// - Throws: `FileError` (missing) for a picture that cannot be read.
  func contentDigest() throws(FileError) -> [UInt8] {
    var digest = startOfDigest
    for item in items {
      digest.update(item)
      digest.update(SHA256.digest(of: try content(of: item)))
    }
    return digest.value
  }

  private var startOfDigest: SHA256 {
    var digest = SHA256()
    digest.update(Array("\(dataset)\n".utf8))
    digest.update(ImageDecoder.version)
    digest.update(attributeNames.count)
    digest.update(listDigest)
    return digest
  }
}

extension SHA256 {
  fileprivate mutating func update(_ item: ImageListing.Item) {
    update(Array(item.split.rawValue.utf8) + [0] + item.file.bytes + [0])
  }
}

// MARK: What a command needs

extension ImageListing {
  /// - Throws: `FileError` (missing) if there is no picture of the split, with what would give it
  ///   any.
  public func require(_ split: Split) throws(FileError) {
    // Where there are no pictures for testing, those for validation are evaluated.
    let isThere = count(of: split) > 0 || split == .test && count(of: .validation) > 0
    if isThere || dataset != "folder" { return }
    let (expected, hint) = ImageFolder.need(of: split)
    throw FileError(
      .missing, "\(dataset), \(split.rawValue) split", path: store.root, expected: expected,
      found: Split.allCases.filter { count(of: $0) > 0 }
        .map { "\(count(of: $0)) for \($0.purpose)" }.joined(separator: " and "),
      hint: hint)
  }
}
