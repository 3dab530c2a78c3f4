import Foundation
import Glibc
import LatheData
import LatheFiles
import LatheNN
import SystemPackage
import Testing

import func TestSupport.fileError

/// Which packed file of the cache belongs to which pictures.
@Suite struct CachedPackTests {
  let folder = TemporaryFolder()
  private let dataset = Dataset.folder.prepared(as: Preparation(size: 8))

  /// Twelve pictures of one size each, all of one time of change.
  private func makeFolder(_ name: String, seed: Int) throws -> FilePath {
    let path = folder.path.appending(name)
    for number in 0..<12 {
      let pixels = [UInt8](repeating: UInt8(seed + number), count: 16 * 16)
      let file = try folder.write(
        jpeg(pixels, height: 16, width: 16, channels: 1), to: "\(name)/\(number).jpg")
      setTime(of: file)
    }
    return path
  }

  private func setTime(of file: FilePath) {
    let time = timespec(tv_sec: 1_000_000_000, tv_nsec: 0)
    #expect(utimensat(AT_FDCWD, file.string, [time, time], 0) == 0)
  }

  private func pack(_ place: FilePath) throws -> CachedPack {
    let cached = try cached(place)
    _ = try LatheDataTests.pack(
      dataset.pictures(at: place), as: Preparation(size: 8), to: cached.path)
    cached.note()
    return cached
  }

  private func cached(_ place: FilePath) throws -> CachedPack {
    dataset.cached(try dataset.pictures(at: place), cache: folder.path.appending("cache"))
  }

  @Test func theSamePicturesFindIt() throws {
    let place = try makeFolder("a", seed: 10)
    #expect(try cached(place).file() == nil)
    let first = try pack(place)
    #expect(try first.file()?.count == 12 && cached(place).file()?.count == 12)
  }

  /// Names, sizes and times of two folders are the same, the pictures are not.
  @Test func anotherFolderOfTheSameKeyDoesNot() throws {
    let (mine, theirs) = (try makeFolder("a", seed: 10), try makeFolder("b", seed: 200))
    let packed = try pack(mine)
    let other = try cached(theirs)
    try #require(other.path == packed.path, "the folders are to have one key")
    #expect(try other.file() == nil && cached(mine).file() != nil)
  }

  /// Content that changed behind its size and time is seen by the time of its status.
  @Test func aPictureChangedInPlaceDoesNot() throws {
    let place = try makeFolder("a", seed: 10)
    let packed = try pack(place)
    let file = place.appending("3.jpg")
    let changed = try bytes(of: place.appending("4.jpg"))
    let size = try bytes(of: file).count
    try #require(changed.count == size)
    try folder.write(changed, to: "a/3.jpg")
    setTime(of: file)
    #expect(try cached(place).path == packed.path && cached(place).file() == nil)
  }

  /// A copy, a backup of hard links, or a change of rights costs one look at the content.
  @Test func touchedPicturesOfTheSameContentFindIt() throws {
    let place = try makeFolder("a", seed: 10)
    let packed = try pack(place)
    for number in 0..<12 { chmod(place.appending("\(number).jpg").string, 0o640) }
    #expect(try cached(place).file()?.count == 12)
    let copy = try makeFolder("copy", seed: 10)
    #expect(try cached(copy).path == packed.path && cached(copy).file()?.count == 12)
  }

  @Test func aDamagedOrForeignFileDoesNot() throws {
    let place = try makeFolder("a", seed: 10)
    let packed = try pack(place)
    let state = packed.path.appending(ending: ".state")
    try folder.write(Array("nonsense".utf8), to: "cache/\(state.lastComponent!.string)")
    #expect(try cached(place).file() != nil, "the content is compared")
    var bytes = try bytes(of: packed.path)
    bytes[30] ^= 1
    try folder.write(bytes, to: "cache/\(packed.path.lastComponent!.string)")
    #expect(try cached(place).file() == nil)
  }

  @Test func filesOfEarlierVersionsAreKnown() throws {
    let place = try makeFolder("a", seed: 10)
    let packed = try pack(place)
    let old = try folder.write([1], to: "cache/folder-64-centre-bilinear-0e39a9ad.pack")
    #expect(packed.filesOfEarlierVersions() == [old])
  }

  /// A packed file without the content's SHA-256, as earlier versions wrote it, is read where it is
  /// named, but is not trusted as a cache.
  @Test func packedFilesOfEarlierVersionsAreRead() throws {
    let place = try makeFolder("a", seed: 10)
    let packed = try pack(place)
    let start = try bytes(of: packed.path)
    let size = Int(start[12]) | Int(start[13]) << 8
    let text = String(decoding: start[24..<24 + size], as: UTF8.self)
    let old = try #require(text.firstRange(of: /"contentDigest":"[0-9a-f]{64}",/))
    let header = Array(text.replacingCharacters(in: old, with: "").utf8)
    var file = Array(start[0..<12]) + littleEndian(header.count, 4)
    file += littleEndian(crc32(header), 4) + littleEndian(4096, 4) + header
    file += [UInt8](repeating: 0, count: 4096 - file.count) + start[4096...]
    let path = try folder.write(file, to: "old.pack")
    let read = try PackedFile(path)
    try read.verify()
    #expect(read.count == 12 && read.contentDigest == nil)
    try folder.write(file, to: "cache/\(packed.path.lastComponent!.string)")
    #expect(try cached(place).file() == nil)
  }

  // MARK: Locks

  @Test(.timeLimit(.minutes(1))) func anotherProcessIsWaitedForAndThenLeftAlone() throws {
    let place = try makeFolder("a", seed: 10)
    let output = folder.path.appending("out.pack")
    func packer() throws -> Packer {
      Packer(
        try dataset.pictures(at: place), as: Preparation(size: 8), to: output, skipsDamaged: false)
    }
    let holder = try packer()
    _ = try holder.begin()
    let lines = Lines()
    let queue = PackQueue(try packer(), patience: .seconds(0.5)) { lines.add($0) }
    let begun = try #require(try queue.begin())
    #expect(lines.all[0].hasPrefix("waiting for PID \(getpid()) on "))
    #expect(lines.all.last?.contains("packing apart from it") == true)
    #expect(begun.packer.partial != holder.partial && begun.done == 0)
    try begun.packer.pack(part: 0, of: 1)
    #expect(try begun.packer.finish().file.count == 12)
    try holder.pack(part: 0, of: 1)
    #expect(try holder.finish().file.count == 12)
    #expect(try FileSystem.names(in: folder.path) == ["a", "out.pack"])
  }

  @Test func whatTheOtherProcessFinishedIsTaken() throws {
    let place = try makeFolder("a", seed: 10)
    let cached = try pack(place)
    let packer = Packer(
      try dataset.pictures(at: place), as: Preparation(size: 8), to: cached.path,
      skipsDamaged: false)
    #expect(try PackQueue(packer).begin(unless: { true }) == nil)
    let names = try FileSystem.names(in: folder.path.appending("cache"))
    #expect(names.count == 2, "the packed file and its state: \(names)")
  }

  /// Nobody has another file written by putting a link where the work is to be.
  @Test func linksInThePlaceOfTheWorkAreNotFollowed() throws {
    let place = try makeFolder("a", seed: 10)
    let victim = try folder.write([7], to: "victim")
    let output = folder.path.appending("out.pack")
    let pictures = try dataset.pictures(at: place)
    for isHard in [false, true] {
      let partial = folder.path.appending("out.pack.partial")
      unlink(partial.string)
      let status =
        isHard ? link(victim.string, partial.string) : symlink(victim.string, partial.string)
      try #require(status == 0)
      let error = fileError { () throws(FileError) in
        try LatheDataTests.pack(pictures, as: Preparation(size: 8), to: output)
      }
      #expect(error?.kind == .unwritable)
      #expect(try bytes(of: victim) == [7])
    }
  }
}

private final class Lines {
  private(set) var all: [String] = []
  func add(_ line: String) { all.append(line) }
}
