import LatheFiles
import LatheData
import Foundation
import Glibc
import LatheReports
import SystemPackage
import Testing

import struct TestSupport.Mutations

/// Mutated files of each format: `LATHE_FUZZ` of them, 300 unless set.
private let trials = getenv("LATHE_FUZZ").flatMap { Int(String(cString: $0)) } ?? 300

/// Memory that ends at a page that nobody may touch, so that reading one byte too far ends the
/// process.
private final class GuardedMemory {
  private let start: UnsafeMutableRawPointer
  private let capacity: Int
  private let page = Int(sysconf(Int32(_SC_PAGESIZE)))

  init(capacity: Int) {
    let whole = (capacity + page - 1) / page * page
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    start = mmap(nil, whole + page, PROT_READ | PROT_WRITE, flags, -1, 0)!
    precondition(start != MAP_FAILED && mprotect(start + whole, page, PROT_NONE) == 0)
    self.capacity = whole
  }

  deinit { munmap(start, capacity + page) }

  /// The bytes, right before the forbidden page.
  func hold(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let place = UnsafeMutableRawBufferPointer(
      start: start + capacity - bytes.count, count: bytes.count)
    place.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(place)
  }
}

/// Replaces, removes, doubles or adds bytes, mostly near the start or the end, where formats keep
/// their numbers.
private func mutated(_ bytes: [UInt8], random: CounterRandom) -> [UInt8] {
  var bytes = bytes
  for round in 0..<1 + random.integer(0, below: 3) where !bytes.isEmpty {
    let random = random.stream(round)
    let reach = [bytes.count, min(64, bytes.count), min(700, bytes.count)][
      random.integer(1, below: 3)]
    let distance = random.integer(2, below: reach)
    let place = random.integer(3, below: 3) == 0 ? bytes.count - 1 - distance : distance
    let noise = UInt8(truncatingIfNeeded: random.bits(4))
    switch random.integer(5, below: 7) {
    case 0: bytes[place] = noise
    case 1: bytes[place] ^= 1 << (noise % 8)
    case 2: bytes[place] = [0, 255, 127, 128][Int(noise % 4)]
    case 3: bytes.removeSubrange(place..<min(place + 1 + Int(noise), bytes.count))
    case 4: bytes.insert(contentsOf: bytes[place..<min(place + Int(noise), bytes.count)], at: place)
    case 5: bytes.removeLast(bytes.count - place)
    default:
      for offset in place..<min(place + 4, bytes.count) { bytes[offset] = noise & 1 == 0 ? 255 : 0 }
    }
  }
  return bytes
}

/// Whatever the bytes: an error of damage, or content that is sound. No crash, no hang, no byte
/// read past the end.
@Suite struct FuzzTests {
  let folder = TemporaryFolder()

  /// Gives mutants of `original` to `read` and counts those it refuses; each must be done within 5
  /// seconds.
  private func fuzz(
    _ original: [UInt8], seed: Int, minimum: Double = 0.2,
    _ read: ([UInt8]) throws -> Void
  ) throws {
    try read(original)
    let random = CounterRandom(seed: UInt64(seed))
    var refused = 0
    for trial in 0..<trials {
      let bytes = mutated(original, random: random.stream(trial))
      let start = ContinuousClock.now
      do { try read(bytes) } catch let error as FileError {
        #expect(error.kind != .unwritable, "trial \(trial): \(error)")
        refused += 1
      }
      #expect(ContinuousClock.now - start < .seconds(5), "trial \(trial)")
    }
    print("fuzz \(seed): \(trials) mutants, \(refused) refused")
    #expect(Double(refused) >= minimum * Double(trials), "the mutations hardly damage anything")
  }

  private func load(_ entry: Dataset, _ split: Split, _ place: FilePath) throws {
    let set = try entry.load(split, at: place)
    #expect(set.labels.allSatisfy { Int($0) < set.classNames.count })
    #expect(set.bytes(of: set.count - 1).count == set.shape.count)
  }

  @Test(arguments: [false, true]) func idx(compressed: Bool) throws {
    let packed: ([UInt8]) -> [UInt8] = { compressed ? gzip($0) : $0 }
    try folder.write(labelFile(count: 3), to: "t10k-labels-idx1-ubyte")
    try fuzz(packed(imageFile(count: 3)), seed: compressed ? 1 : 2) {
      try folder.write($0, to: "t10k-images-idx3-ubyte")
      try load(.mnist, .test, folder.path)
    }
  }

  @Test func cifar() throws {
    try fuzz(cifarBatch(records: 3), seed: 3) {
      try folder.write($0, to: "test_batch.bin")
      try load(.cifar10, .test, folder.path)
    }
  }

  @Test func tarGzip() throws {
    let archive = tar([("a/readme", [1, 2, 3]), ("a/test_batch.bin", cifarBatch(records: 2))])
    try fuzz(gzip(archive), seed: 4) {
      try load(.cifar10, .test, try folder.write($0, to: "cifar-10-binary.tar.gz"))
    }
    // Behind an intact gzip layer, so that the tar reader sees them.
    try fuzz(archive, seed: 5) {
      try load(.cifar10, .test, try folder.write(gzip($0), to: "cifar-10-binary.tar.gz"))
    }
  }

  private func fuzzPicture(_ original: [UInt8], seed: Int) throws {
    let memory = GuardedMemory(capacity: 2 * original.count + 4096)
    let decoder = ImageDecoder()
    var requirement = ImageRequirement()
    requirement.maximumPixels = 1 << 20
    let intact = try decoder.decode(memory.hold(original), of: "picture", requiring: requirement)
    try fuzz(original, seed: seed) {
      // Damage leaves no trace in the decoder.
      #expect(
        try decoder.decode(memory.hold(original), of: "picture", requiring: requirement) == intact)
      let image = try decoder.decode(memory.hold($0), of: "picture", requiring: requirement)
      #expect(image.pixels.count == image.height * image.width * image.channels)
    }
  }

  @Test(arguments: [false, true]) func jpegs(progressive: Bool) throws {
    let pixels = picture(height: 40, width: 50)
    let bytes = jpeg(pixels, height: 40, width: 50, progressive: progressive)
    try fuzzPicture(
      bytes.inserting(0xe1, Array("Exif\0\0".utf8) + exif(6, isBigEndian: progressive)),
      seed: progressive ? 6 : 7)
  }

  @Test(arguments: [1, 3]) func pngs(channels: Int) throws {
    let path = folder.path.appending("picture.png")
    try Picture(
      width: 50, height: 40, channels: channels,
      pixels: picture(height: 40, width: 50, channels: channels)
    ).write(to: path)
    try fuzzPicture(try bytes(of: path), seed: 7 + channels)
  }

  @Test(arguments: PNGColours.allCases) func rawPNGs(colours: PNGColours) throws {
    let depth = colours.depths.last!
    let samples = (0..<20 * 30 * colours.samplesPerPixel).map { 31 * $0 % (1 << min(depth, 7)) }
    var fixture = PNGFixture(samples, height: 20, width: 30, colours: colours, depth: depth)
    fixture.isInterlaced = true
    fixture.before = [("PLTE", (0..<384).map { UInt8($0 % 251) }), ("tRNS", [0, 1])]
    if [.grey, .greyAlpha].contains(colours) { fixture.before.removeFirst() }
    fixture.after = [("eXIf", exif(5, isBigEndian: true))]
    try fuzzPicture(fixture.bytes, seed: 50 + colours.rawValue)
  }

  /// The block is the last thing in the file, so that reading past it ends the process.
  @Test(arguments: [false, true]) func exifBlocks(isBigEndian: Bool) throws {
    let memory = GuardedMemory(capacity: 1 << 13)
    let fixture = PNGFixture(picture(height: 5, width: 7), height: 5, width: 7)
    let start = Array(fixture.bytes.dropLast(12))
    var turned = 0
    try fuzz(exif(6, isBigEndian: isBigEndian), seed: isBigEndian ? 60 : 61, minimum: 0) {
      let chunk = PNGFixture.encoded(("eXIf", $0)).dropLast(4)
      let image = try ImageDecoder().decode(
        memory.hold(start + chunk), of: "picture", requiring: ImageRequirement())
      #expect(image.pixels.count == 105)
      turned += image.height == 7 ? 1 : 0
    }
    #expect(turned > 0 && turned < trials)
  }

  @Test func packedFiles() throws {
    let source = try CelebAFolder(count: 6)
    let pictures = try Dataset.celebA.pictures(at: source.path)
    let file = try pack(
      pictures, as: Preparation(size: 4, crop: 100), to: folder.path.appending("a")
    ).file
    let original = try bytes(of: file.path)
    let memory = GuardedMemory(capacity: 2 * original.count)
    try fuzz(original, seed: 11) { try expectSound($0, in: memory) }
    // With the header's checksum put right, so that its numbers are believed.
    try fuzz(original, seed: 12) {
      var bytes = $0
      guard bytes.count > 24 else { return try expectSound(bytes, in: memory) }
      let size = littleEndianNumber(bytes[12..<16])
      let header = bytes[24..<min(24 + size, bytes.count)]
      bytes.replaceSubrange(16..<20, with: littleEndian(crc32(Array(header)), 4))
      try expectSound(bytes, in: memory)
    }
  }

  private func expectSound(_ bytes: [UInt8], in memory: GuardedMemory) throws {
    let file = try PackedFile(MappedFile(borrowing: memory.hold(bytes), as: "mutant"))
    for split in file.splits {
      let images = try file.images(split)
      #expect(images.bytes(of: images.count - 1).count == file.shape.count)
    }
    try file.verify()
  }

  @Test(arguments: [false, true], [false, true]) func zips(deflated: Bool, wide: Bool) throws {
    let files = [("a/one.jpg", imageValues(900)), ("two.png", [1, 2, 3])]
    let original = zip(files, deflated: deflated, wide: wide)
    let memory = GuardedMemory(capacity: 2 * original.count + 4096)
    try fuzz(original, seed: 13 + (deflated ? 1 : 0) + (wide ? 2 : 0)) {
      let archive = try ZipArchive(MappedFile(borrowing: memory.hold($0), as: "mutant"))
      for entry in archive.entries {
        #expect(try archive.content(of: entry).count == entry.size)
      }
    }
  }

  /// Names in code page 437, UTF-8 and extra fields, in a whole data set of pictures.
  @Test func zipNames() throws {
    let entries = [
      ZipEntry(name: [0x4d, 0x81, 0x6c] + Array(".png".utf8)),
      ZipEntry(name: Array("train\\Mü.png".utf8), flags: 0x800),
      ZipEntry(name: Array("test/x?.png".utf8), unicodePath: Array("test/x漢.png".utf8)),
      ZipEntry(name: Array("./a/b/c.JFIF".utf8)), ZipEntry(name: Array("a/d.webp".utf8)),
    ]
    try fuzz(zip(entries), seed: 40) {
      let pictures = try Dataset.folder.pictures(at: folder.write($0, to: "set.zip"))
      for item in pictures.items {
        #expect(!item.name.split(separator: "/").contains("..") && item.name.printable == item.name)
      }
    }
  }

  @Test func gzipMembers() throws {
    let original = gzip(imageValues(300)) + gzip([]) + gzip([1, 2]) + [0, 0, 0]
    try fuzz(original, seed: 41) {
      var source = GzipSource($0, path: "mutant")
      for _ in 0..<1000 {
        if try source.read(upTo: 100).isEmpty { break }
      }
    }
  }

  /// Numbers and words in the header that make no sense, under a checksum that is right.
  @Test func packedHeaders() throws {
    let source = try CelebAFolder(count: 6)
    let pictures = try Dataset.celebA.pictures(at: source.path)
    let path = folder.path.appending("a")
    let original = try bytes(
      of: pack(pictures, as: Preparation(size: 4, crop: 100), to: path).file.path)
    let size = littleEndianNumber(original[12..<16])
    let header = Array(original[24..<24 + size])
    let memory = GuardedMemory(capacity: 2 * original.count + 8192)
    var mutations = Mutations(seed: 42)
    var isOriginal = true
    try fuzz(original, seed: 42, minimum: 0) { _ in
      let changed = isOriginal ? header : mutations.mutated(header)
      isOriginal = false
      let start = (24 + changed.count + 4095) / 4096 * 4096
      var bytes = Array(original[0..<12]) + littleEndian(changed.count, 4)
      bytes += littleEndian(crc32(changed), 4) + littleEndian(start, 4) + changed
      bytes += [UInt8](repeating: 0, count: start - bytes.count) + original[4096...]
      try expectSound(bytes, in: memory)
    }
  }

  @Test(arguments: ["list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt"])
  func lists(name: String) throws {
    let source = try CelebAFolder(count: 6)
    let path = source.path.appending(name)
    let original = try bytes(of: path)
    try fuzz(original, seed: 20 + name.utf8.count) {
      try source.folder.write($0, to: name)
      let pictures = try Dataset.celebA.pictures(at: source.path)
      #expect(pictures.items.count == 6)
      _ = try? Dataset.celebA.pictures(at: source.path, isTolerant: true)
    }
  }

  @Test func listsWithCommas() throws {
    let source = try CelebAFolder(count: 6)
    for (list, row) in [
      ("list_attr_celeba", "image_id " + CelebAFolder.attributes.joined(separator: " ")),
      ("list_eval_partition", "image_id partition"),
    ] {
      let lines = String(
        decoding: try bytes(of: source.path.appending(list + ".txt")), as: UTF8.self
      )
      .split(whereSeparator: \.isNewline).filter { $0.contains(".jpg") }
      let text = ([row] + lines.map(String.init)).map {
        $0.split(separator: " ").joined(separator: ",") + "\n"
      }
      unlink(source.path.appending(list + ".txt").string)
      try fuzz(Array(text.joined().utf8), seed: 60 + list.utf8.count) {
        try source.folder.write($0, to: list + ".csv")
        #expect(try Dataset.celebA.pictures(at: source.path).items.count == 6)
      }
      try source.folder.write(Array(text.joined().utf8), to: list + ".csv")
    }
  }
}

private func littleEndianNumber(_ bytes: ArraySlice<UInt8>) -> Int {
  bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
}
