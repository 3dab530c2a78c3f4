import LatheFiles
import LatheData
import SystemPackage
import func TestSupport.fileError
import Testing

@Suite struct DatasetRegistryTests {
  let folder = TemporaryFolder()

  @Test func namesAreDistinctAndFound() {
    let names = DatasetRegistry.standard.datasets.map(\.name)
    #expect(
      names == [
        "mnist", "fashion-mnist", "cifar10", "celeba", "folder", "arrays", "synthetic",
        "synthetic4", "synthetic8", "synthetic16", "synthetic32",
      ])
    for name in names { #expect(DatasetRegistry.standard[name]?.name == name) }
    #expect(DatasetRegistry.standard["minst"] == nil)
  }

  @Test func generatedSetsNeedNoPlace() {
    for entry in DatasetRegistry.standard.datasets where !entry.isArrays {
      #expect(entry.isGenerated == entry.places(dataRoot: "elsewhere").isEmpty)
      #expect(entry.isGenerated == (entry.instructions == nil))
    }
  }

  @Test func placesInOrder() {
    #expect(Dataset.mnist.places(dataRoot: nil) == ["data/mnist"])
    #expect(
      Dataset.fashionMNIST.places(dataRoot: "pool") == [
        "data/fashion-mnist", "pool/fashion-mnist", "/usr/share/datasets/fashion-mnist",
      ])
  }

  @Test(arguments: ["-", "."], ["", ".gz"])
  func loadsUnderEachName(separator: String, suffix: String) throws {
    try writeSplit(.train, count: 12, separator: separator, suffix: suffix)
    try writeSplit(.test, count: 7, separator: separator, suffix: suffix)
    let train = try Dataset.mnist.load(.train, at: folder.path)
    let test = try Dataset.mnist.load(.test, at: folder.path)
    #expect(train.count == 12 && test.count == 7)
    #expect(train.split == .train && test.split == .test && train.name == "mnist")
    #expect(train.labels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
    #expect(train.bytes(of: 11) == Array(imageValues(12 * 784)[(11 * 784)...]))
    #expect(train.classNames == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
  }

  @Test func looksBelowTheDataRoot() throws {
    try writeSplit(.train, count: 3, below: "mnist/")
    #expect(try Dataset.mnist.load(.train, dataRoot: folder.path).count == 3)
  }

  @Test func namesEveryPlaceAndTheWayToGetIt() throws {
    let root = folder.path.appending("pool")
    let error = try #require(
      fileError { () throws(FileError) in
        try Dataset.mnist.load(.test, dataRoot: root)
      })
    #expect(error.kind == .missing)
    #expect(error.what == "mnist, test split")
    #expect(error.expected == "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz")
    #expect(
      error.found
        == "nothing in data/mnist (does not exist), nothing in \(root)/mnist (does not exist), "
        + "nor below in raw, MNIST/raw, MNIST, mnist")
    #expect(error.hint == Dataset.mnist.instructions)
  }

  @Test func aGivenFolderIsTheOnlyPlace() throws {
    let error = fileError { () throws(FileError) in
      try Dataset.fashionMNIST.load(.train, at: folder.path)
    }
    #expect(error?.found?.hasPrefix("nothing in \(folder.path) (empty), nor below in raw") == true)
    try folder.write([1], to: "archive.tar")
    let other = fileError { () throws(FileError) in
      try Dataset.fashionMNIST.load(.train, at: folder.path)
    }
    #expect(other?.found?.hasPrefix("nothing in \(folder.path) (which has archive.tar)") == true)
  }

  /// Folders of other programs: torchvision's, an archive with a folder of its own, and Kaggle's,
  /// where each file lies in a folder named as the file.
  @Test(arguments: [
    (".", "-"), ("raw", "-"), ("MNIST/raw", "-"), ("mnist", "."), ("some/raw", "."),
    ("archive", "."), ("train-images-idx3-ubyte", "-"),
  ]) func layoutsOfOtherPrograms(place: String, separator: String) throws {
    let isKaggles = place.hasPrefix("train-")
    for (prefix, count) in [("train", 3), ("t10k", 2)] {
      for (part, kind, bytes) in [
        ("images", "idx3-ubyte", imageFile(count: count)),
        ("labels", "idx1-ubyte", labelFile(count: count)),
      ] {
        let name = "\(prefix)-\(part)\(separator)\(kind)"
        try folder.write(bytes, to: isKaggles ? "\(name)/\(name)" : "\(place)/\(name)")
        // Kaggle has the same under the other name, beside a folder of the first.
        let dotted = name.replacing("-idx", with: ".idx")
        if isKaggles, part == "labels" { try folder.write(bytes, to: dotted) }
      }
    }
    #expect(try Dataset.mnist.load(.train, at: folder.path).count == 3)
    #expect(try Dataset.mnist.load(.test, at: folder.path).count == 2)
  }

  @Test func aPageInThePlaceOfAFileIsNamed() throws {
    try folder.write(Array("<html><head><title>403</title>".utf8), to: "train-images-idx3-ubyte")
    try folder.write(labelFile(count: 1), to: "train-labels-idx1-ubyte")
    #expect(try mnistError()?.found?.contains("an HTML page") == true)
  }

  @Test func namesTheMissingFileOfAPair() throws {
    try folder.write(imageFile(count: 1), to: "train-images-idx3-ubyte")
    let error = fileError { () throws(FileError) in
      try Dataset.mnist.load(.train, at: folder.path)
    }
    #expect(error?.kind == .missing && error?.path == folder.path)
    #expect(error?.expected?.hasPrefix("train-labels-idx1-ubyte.gz or ") == true)
  }

  @Test func rejectsCountsThatDiffer() throws {
    try folder.write(imageFile(count: 3), to: "train-images-idx3-ubyte")
    let labels = try folder.write(labelFile(count: 4), to: "train-labels-idx1-ubyte")
    #expect(
      try mnistError()
        == FileError(
          .damaged, "number of labels", path: labels, offset: 4,
          expected: "3, as many as images", found: "4"))
  }

  @Test func rejectsALabelWithoutClass() throws {
    try folder.write(imageFile(count: 3), to: "train-images-idx3-ubyte")
    let labels = try folder.write(
      idx(magic: 2049, sizes: [3], values: [9, 0, 10]), to: "train-labels-idx1-ubyte")
    #expect(
      try mnistError()
        == FileError(
          .damaged, "label 2", path: labels, offset: 10, expected: "0 to 9", found: "10"))
  }

  @Test func rejectsImagesOfAnotherSize() throws {
    let images = try folder.write(
      imageFile(count: 1, height: 32, width: 28), to: "train-images-idx3-ubyte")
    try folder.write(labelFile(count: 1), to: "train-labels-idx1-ubyte")
    #expect(
      try mnistError()
        == FileError(
          .damaged, "image size", path: images, offset: 8, expected: "28 × 28", found: "32 × 28"))
  }

  private func mnistError() throws -> FileError? {
    fileError { () throws(FileError) in
      try Dataset.mnist.load(.train, at: folder.path)
    }
  }

  private func writeSplit(
    _ split: Split, count: Int, separator: String = "-", suffix: String = "", below: String = ""
  ) throws {
    let prefix = below + (split == .train ? "train" : "t10k")
    let pack = suffix.isEmpty ? { $0 } : gzip
    try folder.write(
      pack(imageFile(count: count)), to: "\(prefix)-images\(separator)idx3-ubyte\(suffix)")
    try folder.write(
      pack(labelFile(count: count)), to: "\(prefix)-labels\(separator)idx1-ubyte\(suffix)")
  }
}
