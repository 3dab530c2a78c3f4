import LatheFiles
import LatheData
import SystemPackage
import func TestSupport.fileError
import Testing

@Suite struct IDXFileTests {
  let folder = TemporaryFolder()

  @Test(arguments: [false, true]) func readsSizesAndValues(compressed: Bool) throws {
    let bytes = imageFile(count: 3, height: 5, width: 4)
    let path = try folder.write(compressed ? gzip(bytes) : bytes, to: "images")
    let file = try IDXFile(path, rank: 3)
    #expect(file.sizes == [3, 5, 4])
    #expect(file.values == imageValues(60))
  }

  /// More than one turn of the reading and expanding buffers.
  @Test(arguments: [false, true]) func readsMegabytes(compressed: Bool) throws {
    let bytes = imageFile(count: 4001)
    let path = try folder.write(compressed ? gzip(bytes) : bytes, to: "images")
    #expect(try IDXFile(path, rank: 3).values == imageValues(4001 * 784))
  }

  @Test func namesTheSystemsReason() throws {
    let error = try #require(
      fileError { () throws(FileError) in
        try IDXFile(folder.path.appending("none"), rank: 3)
      })
    #expect(error.kind == .missing && error.systemError == .noSuchFileOrDirectory)
    #expect("\(error)".hasSuffix("none: No such file or directory"))
  }

  @Test func aFolderIsNoFile() throws {
    let error = fileError { () throws(FileError) in try IDXFile(folder.path, rank: 1) }
    #expect(error?.kind == .missing)
    #expect(error?.found == "a folder")
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let what: String
    let offset: Int
    let expected: String
    let found: String
  }

  static let plain: [Damage] = [
    Damage(
      testDescription: "labels in place of images", bytes: labelFile(count: 20),
      what: "magic number", offset: 0, expected: "2051", found: "2049"),
    Damage(
      testDescription: "empty", bytes: [], what: "header", offset: 0, expected: "16 bytes",
      found: "0"),
    Damage(
      testDescription: "half a header", bytes: Array(imageFile(count: 1).prefix(11)),
      what: "header", offset: 11, expected: "16 bytes", found: "11"),
    Damage(
      testDescription: "no images", bytes: imageFile(count: 0), what: "size of dimension 0",
      offset: 4, expected: "at least 1", found: "0"),
    Damage(
      testDescription: "no columns", bytes: imageFile(count: 1, height: 1, width: 0),
      what: "size of dimension 2", offset: 12, expected: "at least 1", found: "0"),
    Damage(
      testDescription: "cut short", bytes: imageFile(count: 2).dropLast(5), what: "values",
      offset: 16 + 1563, expected: "1568 bytes after the header", found: "1563"),
    Damage(
      testDescription: "too long", bytes: imageFile(count: 2) + [0], what: "values",
      offset: 16 + 1568, expected: "the end after 1568 bytes of values", found: "further bytes"),
    Damage(
      testDescription: "sizes beyond 2^63",
      bytes: idx(magic: 2051, sizes: [0xffff_ffff, 0xffff_ffff, 0xffff_ffff], values: [1, 2]),
      what: "sizes", offset: 4, expected: "a product below 2^63",
      found: "[4294967295, 4294967295, 4294967295]"),
    Damage(
      testDescription: "sizes beyond any file",
      bytes: idx(magic: 2051, sizes: [0xffff_ffff, 0x7fff_ffff, 1], values: [1, 2]),
      what: "values", offset: 18, expected: "9223372030412324865 bytes after the header", found: "2"
    ),
  ]

  @Test(arguments: plain) func rejects(_ damage: Damage) throws {
    try expect(damage, in: damage.bytes)
  }

  /// The same damage inside an intact gzip stream.
  @Test(arguments: plain) func rejectsExpanded(_ damage: Damage) throws {
    try expect(damage, in: gzip(damage.bytes), isExpanded: true)
  }

  static let compressed: [Damage] = {
    let intact = gzip(imageFile(count: 2))
    var otherChecksum = intact
    otherChecksum[intact.count - 8] ^= 1
    var otherLength = intact
    otherLength[intact.count - 4] ^= 1
    return [
      Damage(
        testDescription: "cut in the data", bytes: Array(intact.prefix(100)), what: "gzip stream",
        offset: 100, expected: "more than 100 bytes of gzip stream", found: "the end of the file"),
      Damage(
        testDescription: "cut in the trailer", bytes: intact.dropLast(3), what: "gzip stream",
        offset: intact.count - 3, expected: "more than \(intact.count - 3) bytes of gzip stream",
        found: "the end of the file"),
      Damage(
        testDescription: "two bytes", bytes: [0x1f, 0x8b], what: "gzip stream", offset: 2,
        expected: "more than 2 bytes of gzip stream", found: "the end of the file"),
      Damage(
        testDescription: "CRC", bytes: otherChecksum, what: "gzip stream",
        offset: intact.count - 4, expected: "an intact stream", found: "incorrect data check"),
      Damage(
        testDescription: "length", bytes: otherLength, what: "gzip stream", offset: intact.count,
        expected: "an intact stream", found: "incorrect length check"),
      Damage(
        testDescription: "more after the stream", bytes: intact + [0, 0, 7], what: "gzip stream",
        offset: intact.count, expected: "the end of the file, or another gzip member",
        found: "3 more bytes"),
    ]
  }()

  @Test(arguments: compressed) func rejectsCompressed(_ damage: Damage) throws {
    try expect(damage, in: damage.bytes)
  }

  private func expect(_ damage: Damage, in bytes: [UInt8], isExpanded: Bool = false) throws {
    let path = try folder.write(bytes, to: "images")
    let error = fileError { () throws(FileError) in try IDXFile(path, rank: 3) }
    let expected = FileError(
      .damaged, damage.what, path: path, offset: damage.offset,
      isExpandedOffset: isExpanded, expected: damage.expected,
      found: damage.found)
    #expect(error == expected)
    #expect(error?.kind == .damaged)
  }

  @Test func describesWhatWhereExpectedFound() {
    let error = FileError(
      .damaged, "magic number", path: "data/labels", offset: 0, isExpandedOffset: true,
      expected: "2049", found: "2051", hint: "Get it again")
    #expect(
      "\(error)"
        == "magic number: expected 2049, found 2051 in data/labels at byte 0 once expanded. "
        + "Get it again")
  }
}
