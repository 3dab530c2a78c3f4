import LatheFiles
import SystemPackage

/// What is published about a data set, to tell the whole from a part or a variant.
struct OfficialContent: Sendable {
  /// Images of each class; empty if not known.
  var labelCounts: [Split: [Int]] = [:]
  /// Digest of a split's images and labels; empty if not known.
  var digests: [Split: String] = [:]
  /// MD5 of files as they are published, in hexadecimal.
  var files: [String: String] = [:]

  static let all: [String: OfficialContent] = [
    "mnist": OfficialContent(
      labelCounts: [
        .train: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        .test: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
      ],
      digests: [.train: "e9213967", .test: "6c468eae"],
      files: [
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
      ]),
    "fashion-mnist": OfficialContent(
      labelCounts: [
        .train: [Int](repeating: 6000, count: 10), .test: [Int](repeating: 1000, count: 10),
      ],
      digests: [.train: "9e85fa7e", .test: "a4669f37"]),
    "cifar10": OfficialContent(
      labelCounts: [
        .train: [Int](repeating: 5000, count: 10), .test: [Int](repeating: 1000, count: 10),
      ],
      files: ["cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"]),
    "celeba": OfficialContent(
      files: [
        "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
        "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
        "Anno/list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
        "Eval/list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
      ]),
  ]
}

extension Dataset {
  /// In what a split differs from the official one, a line each.
  public func differences(of images: ImageSet) -> [String] {
    let official = OfficialContent.all[name] ?? OfficialContent()
    var lines = differences(count: images.count, of: images.split)
    if let expected = official.labelCounts[images.split], expected != images.labelCounts {
      lines.append(
        "\(images.split.rawValue) images of each class: expected \(expected), "
          + "found \(images.labelCounts)"
      )
    }
    if let expected = official.digests[images.split], expected != images.digest {
      lines.append(
        "\(images.split.rawValue) digest: expected \(expected), found \(images.digest)")
    }
    return lines
  }

  /// Whether the number of images of a split is the official one; nothing if there is no such
  /// number.
  public func differences(count: Int, of split: Split) -> [String] {
    let expected = self.count(of: split)
    guard !isGenerated, expected > 0, expected != count else { return [] }
    return ["\(split.rawValue) images: expected \(expected), found \(count)"]
  }

  /// Files whose MD5 is not that of the published file of their name, a line each.
  ///
  /// - Throws: `FileError` (missing) if a file that is there cannot be read.
  public func differingFiles(at place: FilePath? = nil) throws(FileError) -> [String] {
    let known = OfficialContent.all[name]?.files ?? [:]
    let places = place.map { [$0] } ?? places()
    var lines: [String] = []
    for folder in places where FileSystem.status(folder) != nil {
      for (name, expected) in known.sorted(by: { $0.key < $1.key }) {
        let isItself = folder.lastComponent?.string == name
        let path = isItself ? folder : folder.appending(name)
        guard FileSystem.isFile(path) else { continue }
        let file = try MappedFile(path)
        let found = withExtendedLifetime(file) { MD5.hexadecimal(of: file.bytes) }
        if found != expected { lines.append("\(path): expected MD5 \(expected), found \(found)") }
      }
    }
    return lines
  }
}

extension ImageSet {
  /// Images of each class.
  public var labelCounts: [Int] {
    labels.reduce(into: [Int](repeating: 0, count: max(classNames.count, 1))) { $0[Int($1)] += 1 }
  }
}
