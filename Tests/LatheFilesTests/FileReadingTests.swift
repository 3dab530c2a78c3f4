import CZlib
import Foundation
import Glibc
import LatheFiles
import SystemPackage
import TestSupport
import Testing

/// What may be opened, how much is read of it, and under which name.
@Suite struct FileReadingTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  // MARK: Digests

  /// FIPS 180-4's examples, and lengths around the size of a block against Python's hashlib.
  @Test func sha256() throws {
    func hexadecimal(_ text: String) -> String {
      SHA256.hexadecimal(SHA256.digest(of: Array(text.utf8)))
    }
    #expect(
      hexadecimal("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      hexadecimal("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      hexadecimal("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      hexadecimal(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func sha256InPieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for size in [1, 7, 55, 56, 63, 64, 65, 119, 128, 500] {
      var digest = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        digest.update(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(digest.value == SHA256.digest(of: bytes), "pieces of \(size)")
    }
  }

  // MARK: Names

  @Test func namesAreShownSafely() {
    #expect(FileName([0x4d, 0xfc, 0x2e]).description == "M\\xfc.")
    #expect(
      FileName("a\nb\u{1b}[31m\u{202e}\u{7f}").description == "a\\u{a}b\\u{1b}[31m\\u{202e}\\u{7f}")
    #expect(FileName("é漢👩‍💻").description == "é漢👩‍💻")
    #expect(FileName("e\u{301}") != FileName("\u{e9}"))
    let path = FilePath("a").appending(FileName([0xff, 0x62]))
    #expect(path.printable == "a/\\xffb")
    let error = FileError(.damaged, "name", path: path, expected: "b", found: "c\r\nd")
    #expect(error.description == "name: expected b, found c\\u{d}\\u{a}d in a/\\xffb")
  }

  // MARK: Kinds

  @Test(.timeLimit(.minutes(1))) func onlyRegularFilesAreOpened() throws {
    let pipe = scratch.path.appending("pipe")
    #expect(mkfifo(pipe.string, 0o600) == 0)
    for (path, found) in [
      (pipe, "a FIFO"), (FilePath("/dev/zero"), "a device"), (scratch.path, "a folder"),
    ] {
      let error = fileError { () throws(FileError) in try OpenFile(reading: path).contents() }
      #expect(error?.kind == .missing && error?.found == found, "\(path)")
      #expect(fileError { () throws(FileError) in try MappedFile(path) }?.found == found)
    }
    #expect(fileError { () throws(FileError) in try OpenFile(writing: pipe) }?.kind == .unwritable)
  }

  /// 8 TiB that take no room on the disk.
  @Test(.timeLimit(.minutes(1))) func aSparseFileTakesNoMemory() throws {
    let path = scratch.path.appending("sparse")
    try TestSupport.write([1], to: path)
    guard truncate(path.string, 8 << 40) == 0 else { return }  // not every file system can
    let error = fileError { () throws(FileError) in try FileSystem.contents(of: path) }
    #expect(error?.kind == .damaged && error?.expected == "at most \(Limit.file) bytes")
    #expect(fileError { () throws(FileError) in try TarGzip(path) }?.kind == .damaged)
    #expect(fileError { () throws(FileError) in try ZipArchive(path) }?.kind == .damaged)
  }

  // MARK: gzip

  private func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    deflateInit2_(
      &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    defer { deflateEnd(&stream) }
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count + 1024))
    output.withUnsafeMutableBufferPointer { target in
      input.withUnsafeMutableBufferPointer { source in
        (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
        (stream.next_out, stream.avail_out) = (target.baseAddress, UInt32(target.count))
        deflate(&stream, Z_FINISH)
      }
    }
    return Array(output.dropLast(Int(stream.avail_out)))
  }

  private func expanded(_ bytes: [UInt8]) throws(FileError) -> [UInt8] {
    var source = GzipSource(bytes, path: "a.gz")
    return try source.read(upTo: 1 << 20)
  }

  @Test func gzipOfSeveralMembers() throws {
    let parts: [[UInt8]] = [[1, 2, 3], [], [4, 5]]
    #expect(try expanded(parts.flatMap(gzipped)) == [1, 2, 3, 4, 5])
    let padded = gzipped([1, 2]) + [UInt8](repeating: 0, count: 512)
    #expect(try expanded(padded) == [1, 2])
    let trailing = fileError { () throws(FileError) in try expanded(gzipped([1]) + [9, 9]) }
    #expect(trailing?.kind == .damaged && trailing?.found == "2 more bytes")
    let cut = fileError { () throws(FileError) in
      try expanded(gzipped([1, 2]) + gzipped([3, 4]).dropLast(3))
    }
    #expect(cut?.kind == .damaged)
  }

  @Test func gzipHasABound() throws {
    let member = gzipped([UInt8](repeating: 0, count: 64 << 20))
    let bomb = [[UInt8]](repeating: member, count: 6).flatMap { $0 }  // 384 MiB of zeros
    var source = GzipSource(bomb, path: "a.gz")
    do {
      _ = try source.read(upTo: .max)
      Issue.record("no error")
    } catch { #expect(error.expected == "at most \(Limit.images) bytes" && error.kind == .damaged) }
  }
}
