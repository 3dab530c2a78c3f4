import LatheFiles
import LatheData
import SystemPackage
import func TestSupport.fileError
import Testing

@Suite struct ZipArchiveTests {
  let folder = TemporaryFolder()
  private let files: [(name: String, content: [UInt8])] = [
    ("a/one.jpg", imageValues(5000)), ("two.png", []), ("a/", []), ("three", [7]),
  ]

  @Test(arguments: [false, true], [false, true]) func readsContent(deflated: Bool, wide: Bool)
    throws
  {
    let archive = try ZipArchive(
      folder.write(zip(files, deflated: deflated, wide: wide), to: "a.zip"))
    #expect(archive.entries.map(\.name) == ["a/one.jpg", "two.png", "three"])
    for (entry, place) in zip(archive.entries, [0, 1, 3]) {
      #expect(try archive.content(of: entry) == files[place].content)
    }
  }

  @Test func findsTheEndBeforeAComment() throws {
    var bytes = zip(files)
    bytes.replaceSubrange(bytes.count - 2..<bytes.count, with: [3, 0])
    let archive = try ZipArchive(folder.write(bytes + [1, 2, 3], to: "a.zip"))
    #expect(archive.entries.count == 3)
  }

  @Test func namesDamage() throws {
    func error(_ change: (inout [UInt8]) -> Void) throws -> FileError? {
      var bytes = zip(files)
      change(&bytes)
      let path = try folder.write(bytes, to: "a.zip")
      return fileError { () throws(FileError) in
        let archive = try ZipArchive(path)
        for entry in archive.entries { _ = try archive.content(of: entry) }
      }
    }
    #expect(try error { _ in } == nil)
    let flipped = try error { $0[100] ^= 1 }
    #expect(flipped?.what == "CRC-32" && flipped?.path == folder.path.appending("a.zip/a/one.jpg"))
    #expect(try error { $0.removeLast(30) }?.what == "zip archive")
    #expect(try error { $0[0] = 0 }?.what == "local header")
    #expect(try error { $0.removeFirst(10) }?.kind == .damaged)
  }

  private func error(_ bytes: [UInt8]) throws -> FileError? {
    let path = try folder.write(bytes, to: "b.zip")
    return fileError { () throws(FileError) in
      let archive = try ZipArchive(path)
      for entry in archive.entries { _ = try archive.content(of: entry) }
    }
  }

  /// Every entry's content is that of the first.
  @Test func contentsThatOverlapAreRefused() throws {
    let entries = (0..<9).map { ZipEntry(name: Array("\($0).png".utf8), offset: 0) }
    let error = try error(zip(entries))
    #expect(error?.kind == .damaged && error?.found == "0.png and 1.png overlap")
  }

  @Test func encryptionAndOtherMethodsAreNamed() throws {
    let name = Array("a.png".utf8)
    #expect(try error(zip([ZipEntry(name: name, flags: 1)]))?.found == "encryption")
    for (method, word) in [
      (9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (99, "AES"),
    ] {
      let error = try error(zip([ZipEntry(name: name, method: method)]))
      #expect(error?.found?.contains(word) == true && error?.what == "compression method")
    }
  }

  @Test func whatIsTooLargeIsRefusedBeforeMemoryIsTaken() throws {
    let content = [UInt8](repeating: 0, count: 1 << 20)
    let bomb = ZipEntry(
      name: Array("a.npy".utf8), method: 8, content: content, size: Limit.member + 1)
    let large = try error(zip([bomb]))
    #expect(large?.expected == "at most \(Limit.member) bytes" && large?.what == "size")
    let long = try error(zip([ZipEntry(name: [UInt8](repeating: 0x61, count: 5000))]))
    #expect(long?.expected == "at most 4096 bytes")
    let few = try folder.write(zip([("a.png", [UInt8](repeating: 7, count: 100))]), to: "c.zip")
    let archive = try ZipArchive(few)
    let picture = fileError { () throws(FileError) in
      try archive.content(of: archive.entries[0], limit: 99)
    }
    #expect(picture?.expected == "at most 99 bytes")
  }

  @Test func whatIsNoZipIsNamed() throws {
    func found(_ text: String) throws -> String? { try error(Array(text.utf8))?.found }
    #expect(
      try found("<!DOCTYPE html><html><head><title>Quota exceeded</title></head></html>")
        == "an HTML page, \"Quota exceeded\"")
    #expect(
      try found("version https://git-lfs.github.com/spec/v1\noid sha256:…")
        == "a Git LFS pointer, not the file itself")
    #expect(try found("Rar!\u{1a}") == "a RAR archive" && found("") == "an empty file")
    #expect(try error(Array(zip(files).dropLast(40)))?.found == "none: it is cut short")
  }
}
