import Foundation
import Glibc
import LatheData
import LatheFiles
import LatheNN
import SystemPackage
import Testing

import func TestSupport.fileError

/// Which files of a folder or an archive are read, and under which names.
@Suite struct FolderReadingTests {
  let folder = TemporaryFolder()

  private func link(_ name: String, to target: String) throws {
    let path = folder.path.appending(name)
    try FileManager.default.createDirectory(
      atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
    #expect(symlink(target, path.string) == 0)
  }

  private func listing() throws -> ImageListing { try Dataset.folder.pictures(at: folder.path) }

  private func note(_ text: String, _ listing: ImageListing) -> Bool {
    listing.notes.contains { $0.contains(text) }
  }

  // MARK: Links

  @Test(.timeLimit(.minutes(1))) func linksUpwardsEndThere() throws {
    for number in 0..<3 { try folder.write([1], to: "a/\(number).png") }
    try link("loop", to: ".")
    try link("a/up", to: "..")
    try link("a/also", to: "..")
    try link("a/self", to: "self")
    let listing = try listing()
    #expect(listing.items.map(\.name) == ["a/0.png", "a/1.png", "a/2.png"])
    #expect(note("a/also, a/up, loop: lead to a folder that is read already", listing))
    #expect(note("a/self: a broken link", listing))
  }

  /// Forty folders, each with two links to the next: 2⁴⁰ paths.
  @Test(.timeLimit(.minutes(1))) func foldersReachedTwiceAreReadOnce() throws {
    for number in 0..<40 {
      try link("d\(number)/x", to: "../d\(number + 1)")
      try link("d\(number)/y", to: "../d\(number + 1)")
    }
    try folder.write([1], to: "d40/a.png")
    #expect(try listing().items.count == 1)
  }

  @Test func aPictureReachedTwiceCountsOnceAndIsNeverTrainedOn() throws {
    for number in 0..<6 { try folder.write([UInt8(number)], to: "all/\(number).png") }
    for number in 0..<6 { try link("train/\(number).png", to: "../all/\(number).png") }
    try link("test/4.png", to: "../all/4.png")
    #expect(
      Glibc.link(
        folder.path.appending("all/5.png").string, folder.path.appending("test/5.png").string)
        == 0)
    let listing = try listing()
    #expect(
      listing.items.map { "\($0.split) \($0.name)" } == [
        "train train/0.png", "train train/1.png", "train train/2.png", "train train/3.png",
        "test test/4.png", "test test/5.png",
      ])
    #expect(note("reached twice, counted once: ", listing))
  }

  @Test func brokenLinksAreNamedOrPassedOver() throws {
    for number in 0..<12 { try folder.write([1], to: "\(number).png") }
    try link("gone.png", to: "/nowhere/x.png")
    let error = fileError { () throws(FileError) in
      try Dataset.folder.pictures(at: folder.path)
    }
    #expect(error?.kind == .missing && error?.path == folder.path.appending("gone.png"))
    let tolerant = try Dataset.folder.pictures(at: folder.path, isTolerant: true)
    #expect(tolerant.items.count == 12 && tolerant.omissions.count == 1)
    #expect(tolerant.omissions[0].contains("gone.png"))
  }

  @Test(.timeLimit(.minutes(1))) func aFIFOIsNamedAtOnce() throws {
    let path = folder.path.appending("pipe.png")
    #expect(mkfifo(path.string, 0o600) == 0)
    let error = fileError { () throws(FileError) in try Dataset.folder.pictures(at: folder.path) }
    #expect(error?.kind == .missing && error?.found == "a FIFO" && error?.path == path)
  }

  // MARK: Endings

  @Test func whatIsPassedOverIsCountedByKind() throws {
    let names = ["a.jpg", "b.JPEG", "c.jfif", "d.JPE", "e.png"]
    let others = ["a.webp", "b.WEBP", "c.bmp", "d.gif", "notes", "d/e.tiff"]
    let noise = [
      ".DS_Store", "Thumbs.db", "__MACOSX/a.png", "._b.png", ".git/x.png", "Desktop.ini",
    ]
    for name in names + others + noise { try folder.write([1], to: name) }
    let expected = "6 files not read: 2 webp, 1 bmp, 1 gif, 1 tiff, 1 without ending"
    let loose = try listing()
    #expect(loose.items.map(\.name) == names && loose.notes == [expected])
    let zipped = try folder.write(
      zip((names + others + noise).map { ($0, [1]) }), to: "set.zip")
    let archive = try Dataset.folder.pictures(at: zipped)
    #expect(archive.items.map(\.name) == names && archive.notes == [expected])
  }

  @Test func aFolderOfOtherFilesSaysWhatIsThere() throws {
    for number in 0..<12 { try folder.write([1], to: "\(number).webp") }
    let error = fileError { () throws(FileError) in try Dataset.folder.pictures(at: folder.path) }
    #expect(error?.kind == .missing && error?.found?.contains("12 webp") == true)
  }

  // MARK: Names

  /// ISO 8859-1, two normal forms of é, a line feed and an escape sequence.
  private static let names: [[UInt8]] = [
    [0x4d, 0xfc, 0x2e], [0x65, 0xcc, 0x81, 0x2e], [0xc3, 0xa9, 0x2e], [0x61, 0x0a, 0x62, 0x2e],
    [0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x2e],
  ].map { $0 + Array("png".utf8) }

  @Test func namesAreBytes() throws {
    let image = face(1)
    for name in Self.names { try writeFile(image, named: name) }
    let listing = try listing()
    let sorted = Self.names.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(listing.items.map(\.name) == sorted.map(printable))
    #expect(Set(listing.items.map { Array($0.name.utf8) }).count == 5)
    #expect(listing.items[0].name == "\\u{1b}[31m.png" && listing.items[2].name == "a\\u{a}b.png")
    #expect(listing.items[1].name == "M\\xfc.png")
    let file = try pack(listing, as: Preparation(size: 8), to: folder.path.appending("a.pack")).file
    try file.verify(against: listing)
  }

  private func writeFile(_ bytes: [UInt8], named name: [UInt8]) throws {
    let path = name.map { CChar(truncatingIfNeeded: $0) } + [0]
    let parent = open(folder.path.string, O_RDONLY | O_DIRECTORY)
    let file = openat(parent, path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    #expect(parent >= 0 && file >= 0 && write(file, bytes, bytes.count) == bytes.count)
    close(file)
    close(parent)
  }

  @Test func namesInZipsAreCodePage437OrUTF8() throws {
    let entries: [ZipEntry] = [
      ZipEntry(name: [0x4d, 0x81, 0x6c, 0x2e] + Array("png".utf8)),  // ü in code page 437
      ZipEntry(name: Array("Mü.png".utf8), flags: 0x800),
      ZipEntry(name: Array("ä.png".utf8)),  // as Apple's programs write it
      ZipEntry(name: Array("x?.png".utf8), unicodePath: Array("x漢.png".utf8)),
      ZipEntry(name: Array("e\u{301}.png".utf8), flags: 0x800),
      ZipEntry(name: Array("\u{e9}.png".utf8), flags: 0x800),
    ]
    let path = try folder.write(zip(entries), to: "set.zip")
    let found = Set(try Dataset.folder.pictures(at: path).items.map { Array($0.name.utf8) })
    let expected = ["Mül.png", "Mü.png", "ä.png", "x漢.png", "e\u{301}.png", "\u{e9}.png"]
    #expect(found == Set(expected.map { Array($0.utf8) }))
  }
}
