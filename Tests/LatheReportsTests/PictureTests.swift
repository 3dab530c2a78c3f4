import LatheFiles
import Foundation
import LatheReports
import SystemPackage
import Testing

@Suite struct PictureTests {
  let folder = TemporaryFolder()

  private func noise(width: Int, height: Int, channels: Int) -> Picture {
    var state: UInt32 = 1
    let pixels = (0..<width * height * channels).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    return Picture(width: width, height: height, channels: channels, pixels: pixels)
  }

  /// Noise does not compress: the buffer for the file must hold deflate's worst case.
  @Test(arguments: [1, 3], [(1, 1), (7, 5), (300, 200), (1, 1000), (1000, 1)])
  func roundTripIsExact(channels: Int, size: (width: Int, height: Int)) throws {
    let picture = noise(width: size.width, height: size.height, channels: channels)
    let path = folder.path.appending("noise.png")
    try picture.write(to: path)
    #expect(try Picture.read(path) == picture)
    #expect(try folder.names == ["noise.png"])
  }

  /// A 2 × 1 grey picture that another program wrote.
  @Test func readsAForeignFile() throws {
    let bytes = try #require(
      Data(
        base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNg"
          + "PwEAANkA0NemIjwAAAAASUVORK5CYII="))
    let path = folder.path.appending("foreign.png")
    try bytes.write(to: URL(fileURLWithPath: path.string))
    #expect(try Picture.read(path) == Picture(width: 2, height: 1, channels: 1, pixels: [7, 200]))
  }

  @Test func replacesAFile() throws {
    let path = folder.path.appending("twice.png")
    try noise(width: 9, height: 9, channels: 3).write(to: path)
    let second = Picture(width: 2, height: 2, channels: 1, filledWith: 77)
    try second.write(to: path)
    #expect(try Picture.read(path) == second)
  }

  @Test func pixelsByRowAndColumn() {
    var picture = Picture(width: 3, height: 2, channels: 3, filledWith: 0)
    picture[1, 2] = [1, 2, 3]
    #expect(picture.pixels == [UInt8](repeating: 0, count: 15) + [1, 2, 3])
    #expect(picture[1, 2] == [1, 2, 3] && picture[0, 2] == [0, 0, 0])
  }

  @Test func aMissingFolderIsNamedWithTheReason() {
    let path = folder.path.appending("none").appending("a.png")
    #expect(
      throws: FileError(.unwritable, "write", path: path, systemError: .noSuchFileOrDirectory)
    ) {
      try Picture(width: 1, height: 1, channels: 1, pixels: [0]).write(to: path)
    }
  }

  /// The rename fails after the temporary file is written; nothing of it stays.
  @Test func aFolderInPlaceOfTheFile() throws {
    let path = folder.path.appending("taken")
    try FileManager.default.createDirectory(
      atPath: path.string, withIntermediateDirectories: true)
    #expect(throws: FileError(.unwritable, "rename to", path: path, systemError: .isDirectory)) {
      try Picture(width: 1, height: 1, channels: 1, pixels: [0]).write(to: path)
    }
    #expect(try folder.names == ["taken"])
  }

  @Test func aMissingFileIsNamedWithTheReason() {
    let path = folder.path.appending("none.png")
    #expect(throws: FileError(.missing, "read", path: path, systemError: .noSuchFileOrDirectory)) {
      try Picture.read(path)
    }
  }

  /// Each prefix of a file, and the whole file with one byte changed, is refused or read; no trap.
  @Test func damagedFilesDoNotTrap() throws {
    let path = folder.path.appending("damaged.png")
    let original = noise(width: 6, height: 4, channels: 3)
    try original.write(to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path.string))
    for length in 0..<bytes.count - 16 {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path.string))
      #expect(throws: FileError.self, "prefix of \(length)") { try Picture.read(path) }
    }
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 0x55
      try changed.write(to: URL(fileURLWithPath: path.string))
      _ = try? Picture.read(path)
    }
  }

  @Test func wrongSizesTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = Picture(width: 2, height: 2, channels: 1, pixels: [1, 2, 3])
    }
    await #expect(processExitsWith: .failure) {
      _ = Picture(width: 1, height: 1, channels: 2, pixels: [1, 2])
    }
  }
}
