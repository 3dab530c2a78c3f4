import LatheFiles
import LatheData
import SystemPackage
import Testing

/// Whatever the bytes: an error, or a set that agrees with itself.
@Suite struct MutationTests {
  let folder = TemporaryFolder()
  static let images = imageFile(count: 3)
  static let labels = labelFile(count: 3)

  /// 4 × 500 files; the first argument: which file is damaged, the second: whether both are
  /// gzipped.
  @Test(arguments: ["images", "labels"], [false, true])
  func mutatedFilesThrowOrAgree(part: String, compressed: Bool) throws {
    let originals = [Self.images, Self.labels].map { compressed ? gzip($0) : $0 }
    let names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]
    for (name, bytes) in zip(names, originals) { try folder.write(bytes, to: name) }
    let victim = part == "images" ? 0 : 1
    let random = CounterRandom(seed: UInt64(victim)).stream(compressed ? 1 : 0)
    var rejected = 0
    for trial in 0..<500 {
      try folder.write(
        mutated(originals[victim], random: random.stream(trial)), to: names[victim])
      do {
        try expectAgreement(try Dataset.mnist.load(.train, at: folder.path))
      } catch {
        #expect(error.kind == .damaged, "trial \(trial): \(error)")
        rejected += 1
      }
    }
    #expect(rejected >= 200, "the mutations hardly damage anything")
  }

  private func expectAgreement(_ set: ImageSet) throws(FileError) {
    #expect(set.count == 3 && set.labels.count == 3)
    #expect(set.labels.allSatisfy { $0 <= 9 })
    #expect((0..<3).allSatisfy { set.bytes(of: $0).count == 784 })
  }

  /// Replaces, removes, doubles or adds bytes, or rewrites the header.
  private func mutated(_ bytes: [UInt8], random: CounterRandom) -> [UInt8] {
    var bytes = bytes
    let place = random.integer(0, below: bytes.count)
    let noise = UInt8(truncatingIfNeeded: random.bits(1))
    switch random.integer(2, below: 6) {
    case 0: bytes[place] = noise
    case 1: bytes.removeLast(place + 1)
    case 2: bytes.insert(noise, at: place)
    case 3: bytes[place % 20 % bytes.count] = noise
    case 4: bytes.removeSubrange(place..<min(place + Int(noise), bytes.count))
    default: for draw in 3..<7 { bytes[random.integer(draw, below: 20) % bytes.count] = noise }
    }
    return bytes
  }
}
