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
}
