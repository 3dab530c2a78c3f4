import LatheData
import LatheFiles
import Testing

@Suite struct PictureKindTests {
  private static let kinds: [(head: [UInt8], name: String)] = [
    (Array("RIFF\u{24}\0\0\0WEBPVP8 ".utf8), "a WebP picture"),
    (Array("GIF89a\u{1}\0".utf8), "a GIF picture"), (Array("GIF87a\u{1}\0".utf8), "a GIF picture"),
    (Array("BM6\0\0\0\0\0\0\0".utf8), "a BMP picture"),
    (Array("II*\0\u{8}\0\0\0".utf8), "a TIFF picture"),
    (Array("MM\0*\0\0\0\u{8}".utf8), "a TIFF picture"),
    (Array("\0\0\0\u{18}ftypheic\0\0\0\0".utf8), "a HEIC picture"),
    (Array("\0\0\0\u{18}ftypmif1\0\0\0\0".utf8), "a HEIC picture"),
    (Array("\0\0\0\u{1c}ftypavif\0\0\0\0".utf8), "an AVIF picture"),
    (Array("\0\0\0\u{1c}ftypisom\0\0\0\0".utf8), "a video or another MP4 file"),
    ([0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20, 13, 10], "a JPEG 2000 picture"),
    ([0xff, 0x0a, 1, 2], "a JPEG XL picture"), (Array("%PDF-1.7\n".utf8), "a PDF document"),
    (Array("PK\u{3}\u{4}".utf8), "a zip archive"), ([0x1f, 0x8b, 8, 0], "gzip-compressed data"),
    (
      Array("\u{feff}\n <!DOCTYPE html><html>".utf8), "an HTML page, as a failed download leaves it"
    ),
    (Array("<HTML><head>".utf8), "an HTML page, as a failed download leaves it"),
    (Array("<?xml version='1.0'?>\n<svg width='5'>".utf8), "an SVG picture"),
    (Array("<?xml version='1.0'?>\n<Error>".utf8), "an XML document"),
    (
      Array("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n".utf8),
      "a Git LFS pointer: git lfs pull fetches the file it stands for"
    ),
    (Array("Too many requests\r\n".utf8), "text"),
    (Array("P6\n3 2\n255\n".utf8), "a Netpbm picture"),
    ([0, 5, 0x16, 7, 0, 2], "a macOS resource fork (._ file)"), ([], "an empty file"),
    ([UInt8](repeating: 0, count: 40), "zero bytes, as an unfinished copy leaves them"),
    ([0xde, 0xad, 0xbe, 0xef, 1], "de ad be ef"), ([7], "7"),
  ]

  @Test(arguments: kinds) func kindsAreNamed(_ kind: (head: [UInt8], name: String)) {
    let error = decodingError(kind.head)
    #expect((error?.kind, error?.expected) == (.damaged, "a JPEG or PNG picture"))
    #expect(error?.found == kind.name)
  }

  /// A file of a few bytes on the disk, more than a picture's file may have.
  @Test func filesAreBounded() throws {
    let folder = TemporaryFolder()
    let path = folder.path.appending("large.png")
    let file = try OpenFile(writing: path)
    try file.truncate(to: ImageDecoder.maximumFileSize + 1)
    let error = #expect(throws: FileError.self) { try PictureFiles(folder.path) }
    #expect(error?.expected == "at most 134217728 bytes")
    #expect(error?.found == "134217729")
    let members = TemporaryFolder()
    let large = [UInt8](repeating: 0, count: ImageDecoder.maximumFileSize + 1)
    let archive = try members.write(zip([("a/large.png", large)], deflated: true), to: "a.zip")
    let pictures = try Dataset.folder.pictures(at: archive)
    let refusal = #expect(throws: FileError.self) {
      try pack(pictures, as: Preparation(size: 4), to: members.path.appending("a.pack"))
    }
    #expect(refusal?.expected == "at most 134217728 bytes")
  }
}
