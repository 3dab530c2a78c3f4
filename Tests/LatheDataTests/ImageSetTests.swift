import LatheNN
import LatheFiles
import LatheData
import Testing

@Suite struct ImageSetTests {
  @Test func handsOutEachImage() {
    let set = numberedSet(count: 5)
    #expect(set.count == 5 && set.shape.count == 6)
    for index in 0..<5 {
      #expect(set.bytes(of: index) == [UInt8](repeating: UInt8(index), count: 6))
      #expect(set.withImage(index) { $0.count } == 6)
    }
  }

  /// CRC-32 of "1 1 1\n", then 0x2a, then 0x00, computed with Python's zlib.crc32.
  @Test func digestIsTheChecksumOfShapePixelsLabels() {
    let set = ImageSet(
      name: "one", split: .test, shape: ImageShape(height: 1, width: 1, channels: 1), pixels: [42],
      labels: [0], classNames: [])
    #expect(set.digest == "c7749820")
  }

  @Test func digestSeesContentAndShape() {
    func digest(_ pixels: [UInt8], _ labels: [UInt8], _ height: Int, _ width: Int) -> String {
      ImageSet(
        name: "pair", split: .train,
        shape: ImageShape(height: height, width: width, channels: 1), pixels: pixels,
        labels: labels, classNames: ["a", "b"]
      ).digest
    }
    let digests = [
      digest([1, 2, 3, 4], [0, 1], 1, 2), digest([1, 2, 3, 5], [0, 1], 1, 2),
      digest([1, 2, 3, 4], [1, 1], 1, 2), digest([1, 2, 3, 4], [0, 1], 2, 1),
    ]
    #expect(Set(digests).count == 4)
    #expect(digest([1, 2, 3, 4], [0, 1], 1, 2) == digests[0])
  }

  @Test func partsAreSetsOfTheirOwn() {
    let set = numberedSet(count: 5)
    let part = set.part(3..<5, as: .validation)
    #expect(part.count == 2 && part.split == .validation && part.shape == set.shape)
    #expect(part.bytes(of: 0) == set.bytes(of: 3) && part.bytes(of: 1) == set.bytes(of: 4))
    #expect(part.labels == Array(set.labels[3..<5]))
    #expect(set.part(0..<5, as: .train).digest == set.digest && part.digest != set.digest)
  }

  /// Where classes lie together, each has its share of what is held back.
  @Test func imagesHeldBackAreSpread() {
    let labels = (0..<90).map { UInt8($0 / 30) }
    let set = ImageSet(
      images: (0..<90).map { UInt8($0) }, shape: ImageShape(height: 1, width: 1, channels: 1),
      labels: labels, classNames: ["a", "b", "c"])
    for count in [1, 7, 9, 30, 89, 90] {
      let numbers = set.heldBack(count, seed: 5)
      #expect(numbers.count == count && numbers == numbers.sorted() && Set(numbers).count == count)
      #expect(numbers.allSatisfy { (0..<90).contains($0) })
    }
    let numbers = set.heldBack(15, seed: 5)
    let part = set.part(numbers, as: .validation)
    #expect(part.labelCounts == [5, 5, 5])
    #expect((0..<15).allSatisfy { part.bytes(of: $0) == [UInt8(numbers[$0])] })
    #expect(set.heldBack(15, seed: 5) == numbers && set.heldBack(15, seed: 6) != numbers)
    // A part of a part is found in the same records.
    #expect(part.part([14, 2], as: .train).bytes(of: 0) == [UInt8(numbers[14])])
  }

  @Test func wrongSizesTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = ImageSet(
        name: "bad", split: .train, shape: ImageShape(height: 1, width: 2, channels: 1),
        pixels: [1, 2, 3], labels: [0], classNames: [])
    }
    await #expect(processExitsWith: .failure) {
      _ = ImageSet(
        name: "bad", split: .train, shape: ImageShape(height: 1, width: 1, channels: 1),
        pixels: [1], labels: [2], classNames: ["a", "b"])
    }
  }
}
