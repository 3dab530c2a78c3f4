import LatheData
import LatheFiles
import LatheNN
import Testing

import func TestSupport.fileError

/// Data sets that a program supplies.
@Suite struct OwnDatasetTests {
  private let shape = ImageShape(height: 2, width: 1, channels: 1)

  private func images(_ values: [UInt8], labels: [UInt8]? = nil) -> ImageSet {
    ImageSet(
      images: values, shape: shape, labels: labels, classNames: labels == nil ? [] : ["a", "b"])
  }

  @Test func anArrayIsADataset() throws {
    let mine = Dataset(
      "mine", train: images([1, 2, 3, 4], labels: [0, 1]), test: images([5, 6], labels: [1]))
    let registry = DatasetRegistry.standard + [mine]
    let found = try #require(registry["mine"])
    #expect(
      found.isGenerated && found.splits == [.train, .test] && found.classNames == ["a", "b"])
    let train = try found.load(.train)
    #expect(train.name == "mine" && train.split == .train && train.count == 2)
    #expect(train.bytes(of: 1) == [3, 4] && train.labels == [0, 1])
    let test = try found.load(.test, seed: 9)
    #expect(test.name == "mine" && test.split == .test && test.bytes(of: 0) == [5, 6])
    #expect(found.differences(of: train).isEmpty)
    #expect(DatasetRegistry.standard["mine"] == nil && registry["mnist"] != nil)
  }

  @Test func floatsBecomeLevels() {
    let set = ImageSet(values: [0, 1, 0.5, -1, 2, 0.2], shape: shape)
    #expect(set.count == 3)
    #expect((0..<3).flatMap { set.bytes(of: $0) } == [0, 255, 128, 0, 255, 51])
  }

  @Test func aSplitThatIsNotThereIsMissing() {
    let mine = Dataset("mine", train: images([1, 2]), test: images([3, 4]))
    let error = fileError { () throws(FileError) in try mine.load(.validation) }
    #expect(error?.kind == .missing && error?.expected == "train or test")
  }

  @Test func aLoaderGetsSplitPlaceAndSeed() throws {
    let mine = Dataset("computed", shape: shape, splits: [.train]) { split, place, seed in
      #expect(split == .train && place == "here")
      return ImageSet(
        images: [UInt8(seed), 0], shape: ImageShape(height: 2, width: 1, channels: 1))
    }
    #expect(try mine.load(.train, at: "here", seed: 7).bytes(of: 0) == [7, 0])
  }

  @Test func aLoadersErrorNamesTheDataset() {
    struct Broken: Error, CustomStringConvertible { let description = "the server is down" }
    let mine = Dataset("remote", shape: shape, instructions: "Ask for it") { _, _, _ in
      throw Broken()
    }
    let error = fileError { () throws(FileError) in try mine.load(.test) }
    #expect(error?.kind == .missing)
    #expect(error.map { "\($0)" } == "remote, test split: the server is down. Ask for it")
  }

  @Test func aNameTwiceTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = DatasetRegistry.standard + [.mnist]
    }
  }
}
