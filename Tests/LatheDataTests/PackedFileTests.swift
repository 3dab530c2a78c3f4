import LatheNN
import LatheFiles
import LatheData
import Foundation
import Glibc
import SystemPackage
import func TestSupport.fileError
import Testing

/// The bytes of a file.
func bytes(of path: FilePath) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path.string)))
}

/// Folders that must outlive a test's use of them.
private final class Kept {
  var folders: [TemporaryFolder] = []
}

@Suite struct PackedFileTests {
  let folder = TemporaryFolder()
  private let preparation = Preparation(size: 16, crop: 140, filter: .lanczos)

  private let kept = Kept()

  private func pictures(_ count: Int) throws -> (CelebAFolder, ImageListing) {
    let source = try CelebAFolder(count: count)
    kept.folders.append(source.folder)
    return (source, try Dataset.celebA.pictures(at: source.path))
  }

  @Test func keepsImagesAndWhatIsKnownOfThem() throws {
    let (_, pictures) = try pictures(70)
    let file = try pack(pictures, as: preparation, to: folder.path.appending("deep/a.pack")).file
    #expect(file.count == 70 && file.splits == [.train, .validation, .test])
    #expect(file.shape == ImageShape(height: 16, width: 16, channels: 3))
    #expect(file.preparation == preparation && file.dataset == "celeba" && file.skipped.isEmpty)
    try file.verify()
    try file.verify(against: pictures)
    let test = try file.images(.test)
    #expect(test.count == 23)
    // The test split's image 5 is picture 17.
    #expect(test.identities?[5] == 8)
    for (attribute, name) in CelebAFolder.attributes.enumerated() {
      #expect(test.attributes?.names[attribute] == name)
      #expect(test.attributes?[5, attribute] == ((17 + attribute) % 3 == 0))
    }
    #expect(test.bytes(of: 5) == (try prepared(face(17))))
    #expect(test.attributes?.count(of: 1) == 23, "2 + 1, 5 + 1 … are divisible by 3")
  }

  private func prepared(_ bytes: [UInt8]) throws(FileError) -> [UInt8] {
    var preparer = ImagePreparer(preparation, requiring: ImageRequirement())
    return try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) -> [UInt8] in
      try preparer.image(UnsafeRawBufferPointer(bytes), of: "picture")
    }
  }

  @Test func digestIsThatOfTheSameImagesInMemory() throws {
    let (_, pictures) = try pictures(9)
    let packed = try pack(pictures, as: preparation, to: folder.path.appending("a.pack")).file
      .images(.train)
    let held = ImageSet(
      name: "celeba", split: .train, shape: packed.shape,
      pixels: (0..<packed.count).flatMap { packed.bytes(of: $0) }, labels: packed.labels,
      classNames: [])
    #expect(packed.digest == held.digest)
  }

  @Test func aZipGivesTheSameImages() throws {
    let (_, loose) = try pictures(6)
    let source = try CelebAFolder(count: 6, zipped: true)
    kept.folders.append(source.folder)
    let zipped = try Dataset.celebA.pictures(at: source.path)
    let first = try pack(loose, as: preparation, to: folder.path.appending("a")).file
    let second = try pack(zipped, as: preparation, to: folder.path.appending("b")).file
    #expect(try bytes(of: first.path) == bytes(of: second.path))
  }

  @Test(arguments: [1, 2, 3, 5]) func partsMakeTheSameFile(parts: Int) throws {
    let (_, pictures) = try pictures(150)
    let whole = try pack(pictures, as: preparation, to: folder.path.appending("a")).file
    let packer = Packer(
      pictures, as: preparation, to: folder.path.appending("b"), skipsDamaged: false)
    #expect(try packer.begin() == 0)
    for part in (0..<parts).reversed() { try packer.pack(part: part, of: parts) }
    #expect(try bytes(of: packer.finish().file.path) == bytes(of: whole.path))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path.string).sorted() == [
        "a", "b",
      ])
  }

  @Test func resumesAndDistrustsWhatItFinds() throws {
    let (_, pictures) = try pictures(150)
    let whole = try pack(pictures, as: preparation, to: folder.path.appending("a")).file
    let output = folder.path.appending("b")
    let packer = Packer(pictures, as: preparation, to: output, skipsDamaged: false)
    _ = try packer.begin()
    try packer.pack(part: 0, of: 2)  // chunks 0 and 2 of 3
    #expect(try packer.begin() == 86, "64 + 22 pictures")
    // A finished chunk whose records were lost is made again.
    let partial = FilePath("\(output).partial")
    var damaged = try bytes(of: partial)
    damaged[5000] ^= 1
    try folder.write(damaged, to: "b.partial")
    try packer.pack(part: 0, of: 1)
    #expect(try bytes(of: packer.finish().file.path) == bytes(of: whole.path))
  }

  @Test func anotherPreparationOrAnotherProcessBeginsForItself() throws {
    let (_, pictures) = try pictures(150)
    let output = folder.path.appending("b")
    var packer: Packer? = Packer(pictures, as: preparation, to: output, skipsDamaged: false)
    _ = try packer!.begin()
    try packer!.pack(part: 0, of: 2)
    let other = Packer(
      pictures, as: Preparation(size: 16, crop: 128, filter: .lanczos), to: output,
      skipsDamaged: false)
    let error = fileError { () throws(FileError) in try other.begin() }
    #expect(error?.kind == .unwritable && error?.found?.hasPrefix("PID \(getpid()) on ") == true)
    packer = nil
    #expect(try other.begin() == 0, "not 86")
  }

  @Test func damagedPicturesEndTheWorkOrAreLeftOut() throws {
    let (source, _) = try pictures(70)
    let bad = try source.folder.write(
      Array(face(4).prefix(900)), to: "img_align_celeba/\(CelebAFolder.name(4))")
    try source.folder.write(
      jpeg(picture(height: 20, width: 20), height: 20, width: 20),
      to: "img_align_celeba/\(CelebAFolder.name(65))")
    let pictures = try Dataset.celebA.pictures(at: source.path)
    let error = fileError { () throws(FileError) in
      try pack(pictures, as: preparation, to: folder.path.appending("a"))
    }
    #expect(error?.kind == .damaged && error?.path == bad)
    #expect(error?.hint?.contains("--skip-corrupt") == true)
    let (file, skipped) = try pack(
      pictures, as: preparation, to: folder.path.appending("a"), skipsDamaged: true)
    #expect(file.count == 68)
    #expect(file.skipped == [CelebAFolder.name(4), CelebAFolder.name(65)])
    #expect(skipped.map(\.what) == ["JPEG", "image size"])
    try file.verify()
    try file.verify(against: pictures)
    let images = try file.images(.validation)
    #expect(images.count == 22 && images.identities?[1] == 3, "picture 7 comes after picture 1")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path.string) == ["a"])
  }

  @Test func noticesPicturesThatChange() throws {
    let (source, pictures) = try pictures(6)
    let file = try pack(pictures, as: preparation, to: folder.path.appending("a")).file
    func error() -> FileError? {
      fileError { () throws(FileError) in
        try file.verify(against: Dataset.celebA.pictures(at: source.path))
      }
    }
    #expect(error() == nil)
    let entry = Dataset.celebA
    let before = entry.cached(pictures, cache: "c").path
    let path = try source.folder.write(face(50), to: "img_align_celeba/\(CelebAFolder.name(3))")
    #expect(error()?.path == path && error()?.expected?.contains("as when it was packed") == true)
    // The cache asks for a file of another name then.
    let again = try entry.pictures(at: source.path)
    #expect(entry.cached(again, cache: "c").path != before)
    #expect(
      entry.prepared(as: preparation).cached(again, cache: "c").path
        != entry.cached(again, cache: "c").path)
  }

  /// A packed file that lost its first bytes is damaged, not missing.
  @Test(arguments: [[], Array("LATHEIMX".utf8)]) func aFileOfAnotherKind(bytes: [UInt8]) throws {
    let path = try folder.write(bytes, to: "a.pack")
    for dataset in [Dataset.celebA, .folder] {
      let error = fileError { () throws(FileError) in try dataset.load(.train, at: path) }
      #expect(error?.kind == .damaged && error?.path == path && error?.offset == 0)
    }
  }

  @Test func namesWhereItIsDamaged() throws {
    let (_, pictures) = try pictures(6)
    let file = try pack(pictures, as: preparation, to: folder.path.appending("a")).file
    let whole = try bytes(of: file.path)
    func error(_ change: (inout [UInt8]) -> Void) throws -> FileError? {
      var damaged = whole
      change(&damaged)
      let path = try folder.write(damaged, to: "b")
      return fileError { () throws(FileError) in try PackedFile(path).verify() }
    }
    #expect(try error { _ in } == nil)
    #expect(try error { $0[0] = 0 }?.what == "packed file")
    #expect(try error { $0[8] = 9 }?.what == "version")
    #expect(try error { $0[40] ^= 1 }?.what == "CRC-32 of the header")
    let record = try error { $0[4096 + 768 + 5] ^= 1 }
    #expect(record?.what == "CRC-32 of image 1 (000004.jpg)" && record?.offset == 4096 + 768)
    #expect(try error { $0[$0.count - 10] ^= 1 }?.what == "CRC-32 of the sections")
    #expect(try error { $0.removeLast() }?.what == "file size")
    #expect(try error { $0.append(0) }?.what == "file size")
    #expect(try error { $0 = [] }?.kind == .damaged)
    #expect(PackedFile.isPacked(file.path) && !PackedFile.isPacked(folder.path))
  }

  /// Training sees a changed byte of an image when it is used for the first time.
  @Test func prefetchingFindsADamagedImage() throws {
    let (_, pictures) = try pictures(30)
    let path = try pack(pictures, as: preparation, to: folder.path.appending("a")).file.path
    var damaged = try bytes(of: path)
    damaged[4096 + 3 * 768 + 5] ^= 1
    try folder.write(damaged, to: "b")
    func damage(_ name: String) throws -> FileError? {
      let images = try PackedFile(folder.path.appending(name)).images(.train)
      let order = Order(count: images.count, batch: images.count, seed: 0)
      let loader = BatchLoader(images: images, order: order, slices: 1)
      let prefetcher = Prefetcher(loader, slices: [0], from: 0)
      var values = [Float](repeating: 0, count: loader.valuesPerSlice)
      prefetcher.take(draw: 0, slice: 0, into: &values)
      return prefetcher.damage
    }
    #expect(try damage("a") == nil)
    let error = try damage("b")
    #expect(error?.offset == 4096 + 3 * 768 && error?.kind == .damaged)
    #expect(error?.what == "CRC-32 of image 3 of the train split")
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() throws {
    let (_, pictures) = try pictures(3)
    let error = fileError { () throws(FileError) in
      try pack(pictures, as: preparation, to: "/proc/a.pack")
    }
    #expect(error?.kind == .unwritable && error?.path == "/proc/a.pack.partial")
  }
}
