import Foundation
import Glibc
import LatheFiles
import SystemPackage
import TestSupport
import Testing

@Suite struct FileSystemTests {
  let scratch: Scratch
  var path: FilePath { scratch.path.appending("a.json") }

  init() throws { scratch = try Scratch() }

  @Test(arguments: [true, false]) func replacesWholeAndLeavesNothingElse(isSynced: Bool) throws {
    try FileSystem.replace(path, with: "first, and longer", isSynced: isSynced)
    try FileSystem.replace(path, with: "second", isSynced: isSynced)
    #expect(try FileSystem.contents(of: path) == Array("second".utf8))
    #expect(try names(in: scratch.path) == ["a.json"])
  }

  @Test func writesHeadAndParts() throws {
    try [UInt8]([3, 4]).withUnsafeBytes { part in
      try FileSystem.replace(path, with: [1, 2], then: [part, part])
    }
    #expect(try FileSystem.contents(of: path) == [1, 2, 3, 4, 3, 4])
  }

  /// A link at the target is replaced; what it leads to stays as it was.
  @Test func neverWritesThroughALink() throws {
    let other = scratch.path.appending("other")
    try FileSystem.replace(other, with: "other")
    #expect(symlink(other.string, path.string) == 0)
    let error = fileError { () throws(FileError) in _ = try OpenFile(writing: path) }
    #expect(error?.kind == .unwritable && error?.systemError == .tooManySymbolicLinkLevels)
    try FileSystem.replace(path, with: "new")
    #expect(try FileSystem.contents(of: other) == Array("other".utf8))
    #expect(try FileSystem.contents(of: path) == Array("new".utf8))
  }

  @Test func theModeIsWhatTheUmaskAllows() throws {
    try FileSystem.replace(path, with: "text")
    var status = stat()
    #expect(stat(path.string, &status) == 0)
    let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Umask:") })
    let mask = try #require(UInt32(line.split(separator: "\t")[1], radix: 8))
    #expect(status.st_mode & 0o777 == 0o666 & ~mask)
  }

  @Test func aLongNameIsWritten() throws {
    let long = scratch.path.appending(String(repeating: "n", count: 255))
    try FileSystem.replace(long, with: "text")
    #expect(try names(in: scratch.path) == [long.lastComponent?.string])
  }

  @Test func aFolderInTheWayStays() throws {
    try FileSystem.makeFolders(path.appending("inner"))
    let error = fileError { () throws(FileError) in try FileSystem.replace(path, with: "x") }
    #expect(error?.kind == .unwritable && error?.systemError == .isDirectory)
    #expect(try names(in: scratch.path) == ["a.json"])
    #expect(FileSystem.isFolder(path) && !FileSystem.isFile(path))
  }

  @Test func foldersAndLinksToThem() throws {
    let folder = scratch.path.appending("folder")
    try FileSystem.makeFolders(folder)
    try FileSystem.makeFolders(folder)
    #expect(symlink(folder.string, path.string) == 0)
    #expect(FileSystem.isFolder(path) && !FileSystem.isFolder(path, followingLinks: false))
    let error = fileError { () throws(FileError) in try FileSystem.contents(of: path) }
    #expect(error?.kind == .missing && error?.found == "a folder")
  }
}

@Suite struct FileErrorTests {
  @Test func saysWhatWhereExpectedAndFound() {
    let error = FileError(
      .damaged, "magic number", path: "labels", offset: 4, isExpandedOffset: true, line: 2,
      expected: "2049", found: "2051", hint: "Get it again")
    #expect(
      "\(error)" == "magic number: expected 2049, found 2051 in labels at byte 4 once expanded, "
        + "line 2. Get it again")
    let shape = FileError(.mismatch, path: "a", tensor: "w", expected: "[1]", found: "[2]")
    #expect("\(shape)" == "w: expected [1], found [2] in a")
  }

  @Test func aFullDiskNamesBothNumbers() {
    let error = FileError(
      .unwritable, "write", path: "a", expected: "400 bytes", found: "12", systemError: .noSpace)
    #expect("\(error)" == "cannot write a: No space left on device (400 bytes needed, 12 free)")
  }
}

@Suite struct ChecksumTests {
  @Test func knownValues() {
    #expect(Checksum(of: Array("123456789".utf8)).hexadecimal == "cbf43926")
    #expect(Checksum(of: []).hexadecimal == "00000000")
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    #expect(Checksum(of: empty).hexadecimal == "00000000")
  }

  @Test func goesOnAndAppends() {
    var parts = Checksum(of: Array("1234".utf8))
    parts.update(Array("56789".utf8))
    #expect(parts.hexadecimal == "cbf43926")
    var joined = Checksum(of: Array("123".utf8))
    joined.append(
      [Checksum(of: Array("456".utf8)).value, Checksum(of: Array("789".utf8)).value], eachOf: 3)
    #expect(joined.hexadecimal == "cbf43926")
  }

  /// Pieces of which only the CRC-32 is known, of lengths with one bit and with many.
  @Test(arguments: [1, 3, 64, 255, 12_288, 65_537]) func piecesMakeTheWhole(length: Int) {
    let bytes = (0..<4 * length).map { UInt8(truncatingIfNeeded: $0 * $0 + $0 / 7) }
    var joined = Checksum(of: Array(bytes[..<length]))
    let pieces = (1..<4).map { Checksum(of: Array(bytes[$0 * length..<($0 + 1) * length])).value }
    joined.append(pieces, eachOf: length)
    #expect(joined.value == Checksum(of: bytes).value)
  }

  /// The test suite of RFC 1321, appendix A.5, and one block boundary.
  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    (
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a"
    ),
  ]) func md5(text: String, digest: String) {
    let found = Array(text.utf8).withUnsafeBytes { MD5.hexadecimal(of: $0) }
    #expect(found == digest)
  }
}
