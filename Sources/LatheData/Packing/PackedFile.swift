import LatheFiles
import LatheNN
import Foundation
import SystemPackage

/// A file of packed images, mapped into memory.
public struct PackedFile: Sendable {
  let header: PackedHeader
  private let file: MappedFile
  private let recordStart: Int
  private let sections: [PackedHeader.Section: UnsafeRange]

  /// Offset and size of a part of the file, known to lie in it.
  typealias UnsafeRange = Range<Int>

  /// Whether the file at a path begins as packed files do.
  public static func isPacked(_ path: FilePath) -> Bool {
    guard FileSystem.isFile(path), let file = try? OpenFile(reading: path),
      let start = try? file.bytes(at: 0, count: PackedHeader.magic.count)
    else { return false }
    return start == PackedHeader.magic
  }

  /// Opens a packed file and checks everything but the images themselves, which `verify` does.
  ///
  /// - Throws: `FileError`: missing if it cannot be read, damaged with the offset of what is wrong.
  public init(_ path: FilePath) throws(FileError) { try self.init(MappedFile(path)) }

  package init(_ file: MappedFile) throws(FileError) {
    self.file = file
    (header, recordStart) = try Self.header(of: file)
    sections = try Self.sections(header, file, recordStart)
  }

  /// The path it was opened by.
  public var path: FilePath { file.path }
  /// The data set's name in the registry.
  public var dataset: String { header.dataset }
  /// The shape of every image.
  public var shape: ImageShape { header.shape }
  /// How the images were made.
  public var preparation: Preparation { header.preparation }
  /// Images in all splits.
  public var count: Int { header.count }
  /// The splits that it holds.
  public var splits: [Split] { header.splits.map(\.split) }
  /// Names of pictures that were left out because they are damaged.
  public var skipped: [String] { header.skipped }
  /// CRC-32 of the names and content of all picture files and of their lists.
  public var sourceDigest: String { header.sourceDigest }
  /// SHA-256 of the same in hexadecimal; nil in files of earlier versions.
  public var contentDigest: String? { header.contentDigest }
  /// Bytes of the file.
  public var size: Int { file.bytes.count }

  // MARK: Opening

  private static func header(of file: MappedFile) throws(FileError) -> (PackedHeader, Int) {
    guard let magic = file.part(at: 0, count: 8), magic.elementsEqual(PackedHeader.magic) else {
      throw damaged(file, "packed file", 0, "LATHEIMG at its start", "something else")
    }
    let fields = stride(from: 8, to: PackedHeader.prefixSize, by: 4).map {
      file.integer(UInt32.self, at: $0)
    }
    guard let version = fields[0], let size = fields[1], let expected = fields[2],
      let start = fields[3]
    else { throw damaged(file, "packed file", 8, "a header", "the end of the file") }
    guard version == PackedHeader.version else {
      throw damaged(file, "version", 8, "\(PackedHeader.version)", "\(version)")
    }
    guard let json = file.part(at: PackedHeader.prefixSize, count: Int(size)) else {
      throw damaged(file, "header", 12, "\(size) bytes", "the end of the file")
    }
    var found = Checksum()
    found.update(json)
    guard found.value == expected, Int(start) == PackedHeader.recordStart(headerSize: Int(size))
    else {
      throw damaged(
        file, "CRC-32 of the header", 16, Checksum(expected).hexadecimal, found.hexadecimal)
    }
    do { return (try JSONDecoder().decode(PackedHeader.self, from: Data(json)), Int(start)) } catch
    {
      throw damaged(file, "header", PackedHeader.prefixSize, "its fields", "others, or no JSON")
    }
  }

  private static func sections(_ header: PackedHeader, _ file: MappedFile, _ start: Int)
    throws(FileError) -> [PackedHeader.Section: Range<Int>]
  {
    let counts = header.splits.map(\.count) + header.sections.map(\.bytes)
    let shape = [header.shape.height, header.shape.width, header.shape.channels]
    guard counts.allSatisfy({ (0...file.bytes.count).contains($0) }),
      shape.allSatisfy({ (1...0xffff).contains($0) }), header.count > 0,
      Set(header.splits.map(\.split)).count == header.splits.count,
      Set(header.sections.map(\.name)).count == header.sections.count,
      header.preparation.isPossible, header.preparation.shape == header.shape,
      (header.attributeNames + header.classNames).allSatisfy(Self.isName),
      header.count <= file.bytes.count / header.shape.count
    else { throw damaged(file, "header", PackedHeader.prefixSize, "counts that fit", "others") }
    var offset = start + header.count * header.shape.count
    let first = offset
    var sections: [PackedHeader.Section: Range<Int>] = [:]
    for section in header.sections {
      sections[section.name] = offset..<offset + section.bytes
      offset += section.bytes
    }
    guard file.bytes.count == offset + 4 else {
      throw damaged(file, "file size", file.bytes.count, "\(offset + 4)", "\(file.bytes.count)")
    }
    try check(sections, of: header, file)
    var found = Checksum()
    found.update(UnsafeRawBufferPointer(rebasing: file.bytes[first..<offset]))
    guard file.integer(UInt32.self, at: offset) == found.value else {
      throw damaged(
        file, "CRC-32 of the sections", offset, "that of its content", found.hexadecimal)
    }
    return sections
  }

  /// Whether the name of an attribute or a class can be shown.
  private static func isName(_ name: String) -> Bool {
    name.utf8.count <= 256 && name.printable == name
  }

  private static func check(
    _ sections: [PackedHeader.Section: Range<Int>], of header: PackedHeader, _ file: MappedFile
  ) throws(FileError) {
    let row = ImageListing.bytesPerRow(attributes: header.attributeNames.count)
    let sizes: [(PackedHeader.Section, [Int])] = [
      (.labels, [header.classNames.isEmpty ? 0 : header.count]),
      (.attributes, [row * header.count]), (.identities, [0, 4 * header.count]),
      (.sourceChecksums, [4 * header.count]), (.checksums, [4 * header.count]),
    ]
    for (section, allowed) in sizes where !allowed.contains(sections[section]?.count ?? 0) {
      throw damaged(
        file, "section \(section.rawValue)", PackedHeader.prefixSize, "\(allowed) bytes",
        "\(sections[section]?.count ?? 0)")
    }
    guard let names = sections[.names],
      file.bytes[names].count(where: { $0 == UInt8(ascii: "\n") }) == header.count
    else {
      throw damaged(
        file, "section names", sections[.names]?.lowerBound ?? 0, "\(header.count) lines", "others")
    }
    let labels = sections[.labels] ?? 0..<0
    if let wrong = file.bytes[labels].firstIndex(where: { $0 >= max(header.classNames.count, 1) }) {
      throw damaged(
        file, "label", wrong, "below \(header.classNames.count)", "\(file.bytes[wrong])")
    }
  }

  private static func damaged(
    _ file: MappedFile, _ what: String, _ offset: Int, _ expected: String, _ found: String
  ) -> FileError {
    FileError(
      .damaged, what, path: file.path, offset: offset, expected: expected, found: found)
  }

  // MARK: Content

  /// The images of a split; nothing is read before it is asked for. Without any for testing, those
  /// for validation are given.
  ///
  /// - Throws: `FileError` (missing) if it holds none.
  public func images(_ split: Split) throws(FileError) -> ImageSet {
    let isMissing = split == .test && records(.test).isEmpty
    let range = records(isMissing ? .validation : split)
    guard !range.isEmpty else {
      throw FileError(
        .missing, "\(dataset), \(split.rawValue) split", path: path, expected: "images",
        found: "none of this split")
    }
    let size = shape.count
    var digest = ImageSet.startOfDigest(shape)
    digest.append(range.lazy.map { number(.checksums, $0) }, eachOf: size)
    let labels =
      part(.labels, 1, range).map { Array($0) } ?? [UInt8](repeating: 0, count: range.count)
    digest.update(labels)
    return ImageSet(
      name: dataset, split: split, shape: shape,
      pixels: .mapped(
        file, start: recordStart + range.lowerBound * size,
        checksums: sections[.checksums]!.lowerBound + 4 * range.lowerBound), labels: labels,
      classNames: header.classNames, attributes: attributes(range), identities: identities(range),
      digest: digest.hexadecimal)
  }

  /// The records of a split.
  func records(_ split: Split) -> Range<Int> {
    var start = 0
    for part in header.splits {
      if part.split == split { return start..<start + part.count }
      start += part.count
    }
    return 0..<0
  }

  /// Names of the picture files, in the order of the records.
  var names: [FileName] {
    file.bytes[sections[.names]!].split(separator: 0x0a, omittingEmptySubsequences: false)
      .dropLast().map { FileName($0.map { $0 == 0 ? 0x0a : $0 }) }
  }

  private func attributes(_ range: Range<Int>) -> ImageAttributes? {
    let names = header.attributeNames
    let width = ImageListing.bytesPerRow(attributes: names.count)
    guard width > 0, let bits = part(.attributes, width, range) else { return nil }
    return ImageAttributes(names: names, bits: Array(bits))
  }

  private func identities(_ range: Range<Int>) -> [Int32]? {
    guard sections[.identities]?.isEmpty == false else { return nil }
    return range.map { Int32(bitPattern: number(.identities, $0)) }
  }

  private func part(_ section: PackedHeader.Section, _ width: Int, _ range: Range<Int>)
    -> Slice<UnsafeRawBufferPointer>?
  {
    guard let place = sections[section], !place.isEmpty else { return nil }
    let start = place.lowerBound + range.lowerBound * width
    return file.bytes[start..<start + range.count * width]
  }

  private func number(_ section: PackedHeader.Section, _ record: Int) -> UInt32 {
    file.integer(UInt32.self, at: sections[section]!.lowerBound + 4 * record)!
  }

  // MARK: Verification

  /// Compares each image with its CRC-32.
  ///
  /// - Throws: `FileError` (damaged) for the first that differs, with its name and offset.
  public func verify() throws(FileError) {
    for record in 0..<count {
      let offset = recordStart + record * shape.count
      var found = Checksum()
      found.update(file.part(at: offset, count: shape.count)!)
      let expected = number(.checksums, record)
      guard found.value == expected else {
        throw FileError(
          .damaged, "CRC-32 of image \(record) (\(names[record]))", path: path, offset: offset,
          expected: Checksum(expected).hexadecimal, found: found.hexadecimal)
      }
    }
  }

  /// Compares the pictures that it was made from with what they are now.
  ///
  /// - Throws: `FileError` for the first that is gone, new or changed since packing.
  public func verify(against listing: ImageListing) throws(FileError) {
    let (names, skipped) = (names, Set(skipped))
    let items = listing.items.filter { !skipped.contains($0.name) }
    for (record, (item, name)) in zip(items, names).enumerated() {
      guard item.file == name else {
        throw changed(listing, item, "\(name), as image \(record) of \(path)", item.name)
      }
      var found = Checksum()
      found.update(try listing.content(of: item))
      let expected = number(.sourceChecksums, record)
      guard found.value == expected else {
        throw changed(
          listing, item, "CRC-32 \(Checksum(expected).hexadecimal) as when it was packed",
          found.hexadecimal)
      }
    }
    guard items.count == names.count else {
      throw FileError(
        .damaged, "pictures", path: path, expected: "\(names.count) as when they were packed",
        found: "\(items.count)")
    }
  }

  private func changed(
    _ listing: ImageListing, _ item: ImageListing.Item, _ expected: String, _ found: String
  ) -> FileError {
    FileError(
      .damaged, "picture", path: listing.path(of: item), expected: expected, found: found,
      hint: "It has changed since it was packed: pack again")
  }
}
