import LatheFiles
import LatheData
import Glibc
import SystemPackage
import func TestSupport.fileError
import Testing

private let cifarFolder = getenv("LATHE_CIFAR10").map { FilePath(platformString: $0) }

@Suite struct CIFAR10Tests {
  let folder = TemporaryFolder()
  private let entry = Dataset.cifar10

  private func files() -> [(name: String, content: [UInt8])] {
    (1...5).map { ("data_batch_\($0).bin", cifarBatch(records: $0, seed: $0)) }
      + [("test_batch.bin", cifarBatch(records: 2))]
  }

  private func expectContent(at place: FilePath) throws {
    let (train, test) = (try entry.load(.train, at: place), try entry.load(.test, at: place))
    #expect(train.count == 15 && test.count == 2)
    #expect(train.labels == [0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4])
    let planes = Array(cifarBatch(records: 4, seed: 4)[(2 * 3073 + 1)...].prefix(3072))
    let expected = (0..<1024).flatMap { [planes[$0], planes[$0 + 1024], planes[$0 + 2048]] }
    #expect(train.bytes(of: 8) == expected)
    #expect(train.classNames[3] == "cat")
  }

  @Test func readsAFolderOfAnyRecordCount() throws {
    for (name, content) in files() { try folder.write(content, to: "cifar-10-batches-bin/\(name)") }
    try expectContent(at: folder.path)
    try expectContent(at: folder.path.appending("cifar-10-batches-bin"))
  }

  @Test func readsTheArchiveInPlace() throws {
    let members = files().map { ("cifar-10-batches-bin/\($0.name)", $0.content) }
    let archive = try folder.write(
      gzip(tar([("cifar-10-batches-bin/readme.html", [1, 2, 3])] + members)),
      to: "cifar-10-binary.tar.gz")
    try expectContent(at: archive)
    try expectContent(at: folder.path)
  }

  @Test func namesWhatIsWrong() throws {
    for (name, content) in files() { try folder.write(content, to: name) }
    func error(_ split: Split = .train) -> FileError? {
      fileError { () throws(FileError) in try entry.load(split, at: folder.path) }
    }
    let path = try folder.write(cifarBatch(records: 2) + [1], to: "data_batch_2.bin")
    #expect(error()?.path == path && error()?.offset == 6146)
    #expect(error()?.found == "6147 bytes, 2 records and 1 bytes")
    var batch = cifarBatch(records: 3)
    batch[3073] = 10
    try folder.write(batch, to: "data_batch_2.bin")
    #expect(error()?.what == "label of record 1" && error()?.offset == 3073)
    #expect(error()?.expected == "0 to 9" && error()?.found == "10")
    unlink(path.string)
    #expect(error()?.kind == .missing && error()?.path == folder.path)
    #expect(error()?.expected == "data_batch_2.bin" && error()?.hint == entry.instructions)
    try folder.write([], to: "test_batch.bin")
    #expect(error(.test)?.found == "0 bytes, 0 records and 0 bytes")
    #expect(error(.validation)?.kind == .missing)
  }

  @Test func namesWhatIsWrongInAnArchive() throws {
    let members = files().dropFirst().map { ("cifar-10-batches-bin/\($0.name)", $0.content) }
    let path = try folder.write(gzip(tar(members)), to: "cifar-10-binary.tar.gz")
    func error() -> FileError? {
      fileError { () throws(FileError) in try entry.load(.train, at: path) }
    }
    #expect(error()?.expected == "cifar-10-batches-bin/data_batch_1.bin")
    var bytes = tar(members)
    bytes[3] ^= 1
    try folder.write(gzip(bytes), to: "cifar-10-binary.tar.gz")
    #expect(error()?.what == "tar header" && error()?.isExpandedOffset == true)
    try folder.write(gzip(Array(bytes.prefix(700))), to: "cifar-10-binary.tar.gz")
    #expect(error()?.kind == .damaged)
    try folder.write([1, 2, 3], to: "cifar-10-binary.tar.gz")
    #expect(error()?.found == "1 2")
  }

  @Test(arguments: [
    ("cifar-10-batches-py/data_batch_1", "the Python version"),
    ("data_batch_1", "the Python version"), ("cifar-10-python.tar.gz", "the Python version"),
    ("cifar-10-batches-mat/data_batch_1.mat", "the MATLAB version"),
    ("cifar-100-binary/train.bin", "CIFAR-100"), ("fine_label_names.txt", "CIFAR-100"),
    ("train.7z", "CIFAR-10 as pictures"),
  ]) func otherVersionsAreNamed(name: String, kind: String) throws {
    try folder.write([0x80, 2], to: name)
    let error = fileError { () throws(FileError) in try entry.load(.train, at: folder.path) }
    #expect(error?.kind == .mismatch && error?.hint == entry.instructions)
    #expect(error?.found?.hasPrefix(kind) == true, "\(String(describing: error))")
  }

  @Test func anArchiveOfAnotherVersionIsNamed() throws {
    let members = [("cifar-10-batches-py/data_batch_1", [UInt8](repeating: 1, count: 9))]
    let path = try folder.write(gzip(tar(members)), to: "cifar.tar.gz")
    let error = fileError { () throws(FileError) in try entry.load(.train, at: path) }
    #expect(error?.found?.hasPrefix("the Python version") == true)
  }

  @Test func readsBelowTheOneFolder() throws {
    for (name, content) in files() {
      try folder.write(content, to: "cifar10/cifar-10-batches-bin/\(name)")
    }
    try expectContent(at: folder.path)
  }

  @Test func saysInWhatItDiffersFromTheOfficialSet() throws {
    for (name, content) in files() { try folder.write(content, to: name) }
    let differences = entry.differences(of: try entry.load(.test, at: folder.path))
    #expect(differences.first == "test images: expected 10000, found 2")
    #expect(differences.count == 2)
  }

  @Test(
    .enabled(if: cifarFolder != nil, "needs CIFAR-10's binary files in the folder LATHE_CIFAR10"))
  func realFiles() throws {
    let train = try entry.load(.train, at: cifarFolder)
    let test = try entry.load(.test, at: cifarFolder)
    #expect(train.count % 5 == 0 && test.count * 5 == train.count)
    // The first training images are a frog, two trucks and a deer; the first test image is a cat.
    #expect(
      train.labels.prefix(4).map { train.classNames[Int($0)] } == [
        "frog", "truck", "truck", "deer",
      ])
    #expect(test.classNames[Int(test.labels[0])] == "cat")
    #expect(train.bytes(of: 0).prefix(3) == [59, 62, 63])
  }
}
