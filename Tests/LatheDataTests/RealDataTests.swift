import LatheData
import Glibc
import SystemPackage
import Testing

private let fashionFolder: FilePath = "/usr/share/datasets/fashion-mnist"
private let mnistFolder = getenv("LATHE_MNIST").map { FilePath(platformString: $0) }

private func histogram(_ labels: [UInt8]) -> [Int] {
  labels.reduce(into: [Int](repeating: 0, count: 10)) { $0[Int($1)] += 1 }
}

/// The published data sets, where this machine has them.
@Suite struct RealDataTests {
  @Test(
    .enabled(
      if: fashionFolder.withPlatformString { access($0, R_OK) } == 0,
      "needs Debian's package dataset-fashion-mnist"))
  func fashionMNIST() throws {
    let entry = Dataset.fashionMNIST
    for (split, perClass) in [(Split.train, 6000), (Split.test, 1000)] {
      let set = try entry.load(split, at: fashionFolder)
      #expect(set.count == entry.count(of: split) && set.shape == entry.shape)
      #expect(histogram(set.labels) == [Int](repeating: perClass, count: 10))
    }
    let train = try entry.load(.train, at: fashionFolder)
    #expect(train.classNames[Int(train.labels[0])] == "Ankle boot")
  }

  @Test(.enabled(if: mnistFolder != nil, "needs MNIST's files in the folder LATHE_MNIST"))
  func mnist() throws {
    let entry = Dataset.mnist
    let train = try entry.load(.train, at: mnistFolder)
    let test = try entry.load(.test, at: mnistFolder)
    #expect(train.count == 60_000 && test.count == 10_000)
    #expect(
      histogram(train.labels) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(histogram(test.labels) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    #expect(train.digest != test.digest)
  }
}
