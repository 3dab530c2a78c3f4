import LatheFiles
import SystemPackage

/// What is published about a data set, to tell the whole from a part or a variant, and to fetch it.
package struct OfficialContent: Sendable {
  /// Images of each class; empty if not known.
  var labelCounts: [Split: [Int]] = [:]
  /// Digest of a split's images and labels; empty if not known.
  var digests: [Split: String] = [:]
  /// The files that make up the data set.
  package var files: [PublishedFile] = []
  /// Addresses below which the files lie, in the order in which they are tried; empty if one must
  /// ask for them.
  package var mirrors: [String] = []
  /// Folders in which the files may lie, below the place of the data set.
  package var folders = [""]
  /// What one may do with it.
  package var terms = ""

  static let all: [String: OfficialContent] = [
    "mnist": OfficialContent(
      labelCounts: [
        .train: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        .test: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
      ],
      digests: [.train: "e9213967", .test: "6c468eae"],
      files: fourFiles(
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6")),
      mirrors: [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
      ],
      terms: "LeCun and Cortes, derived from NIST's data; CC BY-SA 3.0"),
    "fashion-mnist": OfficialContent(
      labelCounts: [
        .train: [Int](repeating: 6000, count: 10), .test: [Int](repeating: 1000, count: 10),
      ],
      digests: [.train: "9e85fa7e", .test: "a4669f37"],
      files: fourFiles(
        (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")),
      mirrors: [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      ],
      terms: "Zalando SE; MIT License"),
    "cifar10": OfficialContent(
      labelCounts: [
        .train: [Int](repeating: 5000, count: 10), .test: [Int](repeating: 1000, count: 10),
      ],
      files: [
        PublishedFile(
          "cifar-10-binary.tar.gz", 170_052_171,
          "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
      ],
      mirrors: [
        "https://www.cs.toronto.edu/~kriz/",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
      ],
      terms: "Krizhevsky; no licence is named, its authors ask to cite their report of 2009"),
    "celeba": OfficialContent(
      files: [
        PublishedFile("list_attr_celeba.txt", 26_721_026, "75e246fa4810816ffd6ee81facbd244c"),
        PublishedFile("list_eval_partition.txt", 2_836_386, "d32c9cbf5e040fd4025c592c306e6668"),
        PublishedFile("img_align_celeba.zip", 1_443_490_838, "00d2c5bc6d35e252742224ab0c1e8fcb"),
      ],
      folders: CelebA.folders,
      terms: "MMLAB, CUHK; for non-commercial research only"),
  ]

  /// MNIST's files, of which size and SHA-256 are given.
  private static func fourFiles(_ contents: (Int, String)...) -> [PublishedFile] {
    let names = [Split.train, .test].flatMap { IDXPair.names($0).map { $0[0] } }
    return zip(names, contents).map { PublishedFile($0, $1.0, $1.1) }
  }
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

  /// What is published about it; nil if lathe knows nothing.
  package var official: OfficialContent? { OfficialContent.all[name] }

  /// Files that differ from the published ones of their names, a line each. None where images are
  /// compared, however they are compressed.
  ///
  /// - Throws: `FileError` (missing) if a file that is there cannot be read.
  public func differingFiles(at place: FilePath? = nil) throws(FileError) -> [String] {
    guard let official, official.digests.isEmpty else { return [] }
    var lines: [String] = []
    for place in place.map({ [$0] }) ?? places() {
      for file in official.files {
        for path in paths(of: file, at: place) {
          guard let difference = try file.difference(of: path) else { continue }
          lines.append("\(path): \(difference)")
        }
      }
    }
    return lines
  }

  /// Where a published file lies, if it does; the place may be the file itself.
  package func paths(of file: PublishedFile, at place: FilePath) -> [FilePath] {
    let inFolders = (official?.folders ?? []).map { place.appending($0).appending(file.name) }
    let isItself = place.lastComponent?.string == file.name
    return (isItself ? [place] : inFolders).filter(FileSystem.isFile)
  }

  /// Whether a place has all of the official data set; pictures are counted, not decoded.
  ///
  /// - Throws: `FileError` if nothing is there, or something damaged.
  package func isWhole(at place: FilePath) throws(FileError) -> Bool {
    for split in isPacked ? [] : splits {
      guard differences(of: try load(split, at: place)).isEmpty else { return false }
    }
    if isPacked {
      let items = try pictures(at: place).items
      let isComplete = officialCounts.allSatisfy { split, count in
        items.count { $0.split == split } == count
      }
      guard isComplete else { return false }
    }
    return try differingFiles(at: place).isEmpty
  }
}

extension ImageSet {
  /// Images of each class.
  public var labelCounts: [Int] {
    labels.reduce(into: [Int](repeating: 0, count: max(classNames.count, 1))) { $0[Int($1)] += 1 }
  }
}
