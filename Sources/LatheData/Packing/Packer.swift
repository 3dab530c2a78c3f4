import LatheFiles
import Glibc
import SystemPackage

/// Makes a packed file of a listing, shared by any number of processes and resumable after any
/// interruption.
///
/// Records are written to their final place in `OUT.partial`, in chunks of 64;
/// `OUT.partial.journal` notes each finished chunk with CRC-32s, which a resumed run checks before
/// it trusts them. Last the file is renamed. The file's bytes depend on pictures and preparation
/// alone. Several hosts need a file system on which they see each other's writes.
///
/// The root process calls `begin`; then each calls `pack` with its part; when all have returned,
/// the root process calls `finish`. `PackQueue` is what waits for another process.
public struct Packer: Sendable {
  static let chunkSize = 64
  /// The ending of names that nobody else uses.
  private static let temporaryKind = "partial"

  /// Where the packed file will be.
  public let output: FilePath
  private let listing: ImageListing
  private let preparation: Preparation
  private let skipsDamaged: Bool
  private let draft: PackedHeader
  private let recordStart: Int
  private let lock = PackLock()
  /// Where the work is kept while it lasts.
  public let partial: FilePath

  /// A packer of `listing`; with `skipsDamaged`, damaged pictures are left out instead of ending
  /// the work. The root process's `partial` is for the others, if it is not `OUT.partial`.
  public init(
    _ listing: ImageListing, as preparation: Preparation, to output: FilePath, skipsDamaged: Bool,
    partial: FilePath? = nil
  ) {
    self.listing = listing
    self.preparation = preparation
    self.output = output
    self.skipsDamaged = skipsDamaged
    self.partial = partial ?? output.appending(ending: ".partial")
    let none = [UInt32](repeating: 0, count: listing.items.count)
    (draft, _) = packedEnd(
      listing, preparation, kept: Array(listing.items.indices), checksums: none, sources: none,
      skipped: [], contentDigest: [UInt8](repeating: 0, count: 32))
    recordStart = draft.encoded().count
  }

  /// Pictures to be packed.
  public var count: Int { listing.items.count }

  private var journal: PackJournal {
    PackJournal(
      path: partial.appending(ending: ".journal"), count: count, key: journalKey)
  }

  /// Another listing or preparation has another key, and so have pictures that changed.
  private var journalKey: [UInt8] {
    SHA256.digest(of: listing.state + draft.encoded())
  }

  private var recordSize: Int { preparation.shape.count }

  private func offset(of record: Int) -> Int { recordStart + record * recordSize }

  // MARK: Root process, before

  /// Sets aside room on the disk, or takes up an interrupted work; returns the number of pictures
  /// done then.
  ///
  /// - Throws: `FileError` (unwritable), with needed and free bytes if the disk is full; or if
  ///   another process is packing into the same file.
  public func begin() throws(FileError) -> Int {
    try FileSystem.makeFolders(output.removingLastComponent())
    switch try lock.take(partial) {
    case .taken, .unsupported: return try prepareFile()
    case .held, .foreign:
      throw FileError(
        .unwritable, "file", path: partial, expected: "no other process packing into it",
        found: holder)
    }
  }

  /// Locks the file, if nobody else has it.
  func take() throws(FileError) -> PackLock.Outcome {
    try FileSystem.makeFolders(output.removingLastComponent())
    return try lock.take(partial)
  }

  /// Gives the lock back and takes away the file that was made for it, if it is empty.
  func abandon() {
    if FileSystem.status(partial)?.size == 0 { remove(partial) }
    lock.release()
  }

  /// Who is packing into the file.
  var holder: String { journal.owner ?? "one that does" }

  /// A packer of the same pictures whose work has a name that nobody else uses, so that it cannot
  /// be taken up again.
  func alone() throws(FileError) -> Packer {
    Packer(
      listing, as: preparation, to: output, skipsDamaged: skipsDamaged,
      partial: try FileSystem.temporaryPath(beside: output, Self.temporaryKind))
  }

  /// What `begin` does once the file is locked.
  func prepareFile() throws(FileError) -> Int {
    let file = try OpenFile(writing: partial)
    let size = offset(of: count)
    if try file.size() == size, try journal.isValid() {
      try journal.sign()
      return try done()
    }
    try file.truncate(to: 0)
    do throws(FileError) {
      try journal.reset()
      try journal.sign()
      try file.reserve(size)
      try file.truncate(to: size)
    } catch {
      remove(partial)
      journal.remove()
      throw error
    }
    return 0
  }

  /// Pictures that are done, by all processes together.
  public func done() throws(FileError) -> Int { try journal.finishedPictures() }

  // MARK: Every process

  /// Packs every `parts`-th chunk from `part` on, except those that are done; `progress` is called
  /// after each.
  ///
  /// - Throws: `FileError`: damaged for the first picture that is, unless those are left out;
  ///   unwritable.
  public func pack(part: Int, of parts: Int, progress: () -> Void = {}) throws(FileError) {
    require(part >= 0 && part < parts, "Packer: part \(part) of \(parts)")
    let file = try OpenFile(writing: partial)
    let notes = try journal.opened()
    var preparer = ImagePreparer(preparation, requiring: listing.requirement)
    for chunk in stride(from: part, to: notes.chunks, by: parts) {
      let range = notes.range(of: chunk)
      if try !isDone(chunk, notes, file) {
        let (records, slots) = try prepare(range, with: &preparer)
        try file.write(records, at: offset(of: range.lowerBound))
        try notes.note(slots, chunk: chunk)
      }
      progress()
    }
  }

  /// Whether a chunk was finished before, and its records are what was noted then.
  private func isDone(_ chunk: Int, _ notes: borrowing OpenJournal, _ file: borrowing OpenFile)
    throws(FileError) -> Bool
  {
    guard let slots = try notes.slots(of: chunk) else { return false }
    let range = notes.range(of: chunk)
    let records = try file.bytes(at: offset(of: range.lowerBound), count: range.count * recordSize)
    for (place, slot) in slots.enumerated() {
      if !slot.isIntact && !skipsDamaged { return false }
      var found = Checksum()
      found.update(Array(records[place * recordSize..<(place + 1) * recordSize]))
      if found.value != slot.checksum { return false }
    }
    return true
  }

  private func prepare(_ range: Range<Int>, with preparer: inout ImagePreparer)
    throws(FileError) -> (records: [UInt8], slots: [PackSlot])
  {
    var (records, slots): ([UInt8], [PackSlot]) = ([], [])
    records.reserveCapacity(range.count * recordSize)
    for item in listing.items[range] {
      var slot = PackSlot()
      let record: [UInt8]
      do throws(FileError) {
        record = try prepare(item, with: &preparer, noting: &slot)
        slot.isIntact = true
      } catch {
        guard skipsDamaged else { throw error.advisingToSkip }
        record = [UInt8](repeating: 0, count: recordSize)
      }
      var checksum = Checksum()
      checksum.update(record)
      slot.checksum = checksum.value
      records += record
      slots.append(slot)
    }
    return (records, slots)
  }

  private func prepare(
    _ item: ImageListing.Item, with preparer: inout ImagePreparer, noting slot: inout PackSlot
  ) throws(FileError) -> [UInt8] {
    let content = try listing.content(of: item)
    slot.source = Checksum(of: content).value
    slot.digest = SHA256.digest(of: content)
    return try preparer.image(of: content, at: listing.path(of: item))
  }

  // MARK: Root process, after

  /// Completes the file, gives it its name and opens it; also says why each picture left out was.
  ///
  /// - Throws: `FileError`: unwritable; damaged if no picture is intact.
  public func finish() throws(FileError) -> (file: PackedFile, skipped: [FileError]) {
    let slots = try journal.opened().allSlots()
    let kept = slots.indices.filter { slots[$0].isIntact }
    let skipped = slots.indices.filter { !slots[$0].isIntact }.map { listing.items[$0] }
    let reasons = reasons(for: skipped)
    guard !kept.isEmpty else {
      throw FileError(
        .damaged, listing.dataset, expected: "at least one intact picture",
        found: "none of \(count); the first: \(reasons[0])")
    }
    let (header, end) = packedEnd(
      listing, preparation, kept: kept, checksums: kept.map { slots[$0].checksum },
      sources: kept.map { slots[$0].source }, skipped: skipped.map(\.name),
      contentDigest: listing.contentDigest(slots.lazy.map(\.digest)))
    if skipped.isEmpty {
      try complete(partial, header, end)
    } else {
      try complete(try compacted(kept, header), header, end)
      remove(partial)
    }
    journal.remove()
    lock.release()
    FileSystem.removeLeftovers(in: FileSystem.parent(of: output), Self.temporaryKind)
    return (try PackedFile(output), reasons)
  }

  /// What is wrong with each, found once more.
  private func reasons(for items: [ImageListing.Item]) -> [FileError] {
    var preparer = ImagePreparer(preparation, requiring: listing.requirement)
    var reasons: [FileError] = []
    for item in items {
      var slot = PackSlot()
      do throws(FileError) { _ = try prepare(item, with: &preparer, noting: &slot) } catch {
        reasons.append(error)
      }
    }
    return reasons
  }

  private func complete(_ path: FilePath, _ header: PackedHeader, _ end: [UInt8])
    throws(FileError)
  {
    let file = try OpenFile(writing: path)
    let start = header.encoded()
    try file.write(start, at: 0)
    let place = start.count + header.count * recordSize
    try file.truncate(to: place)
    try file.write(end, at: place)
    try file.sync()
    try FileSystem.rename(path, to: output)
    try FileSystem.sync(FileSystem.parent(of: output))
  }

  /// The records that are kept, one after the other, in a file of their own.
  private func compacted(_ kept: [Int], _ header: PackedHeader) throws(FileError) -> FilePath {
    let path = try FileSystem.temporaryPath(beside: output, Self.temporaryKind)
    let source = try OpenFile(reading: partial)
    let target = try OpenFile(creating: path)
    var place = header.encoded().count
    for record in kept {
      try target.write(
        try source.bytes(at: offset(of: record), count: recordSize), at: place)
      place += recordSize
    }
    return path
  }

  private func remove(_ path: FilePath) { _ = path.withPlatformString { unlink($0) } }
}

/// The header of a packed file and all that follows its records.
private func packedEnd(
  _ listing: ImageListing, _ preparation: Preparation, kept: [Int], checksums: [UInt32],
  sources: [UInt32], skipped: [String], contentDigest: [UInt8]
) -> (PackedHeader, [UInt8]) {
  let sourceBytes = sources.flatMap(\.littleEndianBytes)
  let sections =
    listing.sections(of: kept) + [
      (.sourceChecksums, sourceBytes), (.checksums, checksums.flatMap(\.littleEndianBytes)),
    ]
  var source = Checksum(listing.listChecksum)
  source.update(listing.names(of: kept))
  source.update(sourceBytes)
  let splits = Split.allCases.map { split in
    PackedHeader.Part(split: split, count: kept.count { listing.items[$0].split == split })
  }
  let header = PackedHeader(
    dataset: listing.dataset, shape: preparation.shape, splits: splits.filter { $0.count > 0 },
    preparation: preparation, attributeNames: listing.attributeNames, classNames: [],
    sourceDigest: source.hexadecimal, contentDigest: SHA256.hexadecimal(contentDigest),
    skipped: skipped,
    sections: sections.map { .init(name: $0.0, bytes: $0.1.count) })
  let end = sections.flatMap(\.1)
  return (header, end + Checksum(of: end).value.littleEndianBytes)
}

extension ImageListing {
  /// The sections that are known before any picture is decoded, of the pictures that are kept.
  fileprivate func sections(of kept: [Int]) -> [(PackedHeader.Section, [UInt8])] {
    let width = Self.bytesPerRow(attributes: attributeNames.count)
    let persons = identities.isEmpty ? [] : kept.flatMap { identities[$0].littleEndianBytes }
    return [
      (.labels, []),
      (.attributes, kept.flatMap { attributes[$0 * width..<($0 + 1) * width] }),
      (.identities, persons), (.names, names(of: kept)),
    ]
  }

  fileprivate func names(of kept: [Int]) -> [UInt8] {
    kept.flatMap { items[$0].file.bytes.map { $0 == 0x0a ? 0 : $0 } + [0x0a] }
  }
}

extension ImagePreparer {
  /// The image that a picture's file gives, `[size, size, 3]`.
  mutating func image(of content: [UInt8], at path: FilePath) throws(FileError) -> [UInt8] {
    try content.withUnsafeBufferPointer { (bytes) throws(FileError) -> [UInt8] in
      try image(UnsafeRawBufferPointer(bytes), of: path)
    }
  }
}

extension FilePath {
  /// The path with further characters at its end.
  package func appending(ending: String) -> FilePath {
    removingLastComponent().appending(FileName((lastFileName?.bytes ?? []) + ending.utf8))
  }
}

extension FileError {
  /// The same error, which says how to go on without the picture.
  var advisingToSkip: FileError {
    var error = self
    error.hint = error.hint ?? "To leave such pictures out: --skip-corrupt"
    return error
  }
}

extension ImageListing {
  /// Decodes every picture; what is wrong with those that are damaged.
  ///
  /// - Throws: `FileError` for the first, if `stopAtFirst`.
  public func damaged(as preparation: Preparation, stopAtFirst: Bool) throws(FileError)
    -> [FileError]
  {
    var preparer = ImagePreparer(preparation, requiring: requirement)
    var errors: [FileError] = []
    for item in items {
      do throws(FileError) {
        _ = try preparer.image(of: try content(of: item), at: path(of: item))
      } catch {
        if stopAtFirst { throw error }
        errors.append(error)
      }
    }
    return errors
  }
}
