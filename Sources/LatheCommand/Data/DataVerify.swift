import ArgumentParser
import LatheData
import LatheFiles
import Foundation
import SystemPackage

struct DataVerify: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks every image of a data set or packed file.",
    usage: "lathe data verify DATASET [options]",
    discussion: """
      A packed file's images are compared with their CRC-32s and, with --data, with the pictures \
      they were made from. Pictures are decoded; lists and folder must agree. What differs from \
      the official data set is a warning: partial data sets are welcome.
        lathe data verify celeba --data DIR
        lathe data verify celeba.pack
      """)

  @OptionGroup var options: DataOptions

  func run() throws {
    let entry = try options.entry()
    if let file = options.packedFile { return try verify(packed: file, of: entry) }
    if let place = options.place, PackedFile.isPacked(place) {
      return try verify(packed: place, of: entry)
    }
    if entry.isPacked { return try verify(picturesOf: entry) }
    for split in entry.splits {
      let images = try failing { try entry.load(split, at: options.place) }
      print(
        "\(entry.name), \(split.rawValue): \(grouped(images.count)) images, "
          + "digest \(images.digest): intact")
      warn(entry.differences(of: images))
    }
    try warnOfFiles(entry)
  }

  private func warnOfFiles(_ entry: Dataset) throws {
    let place = options.place
    warn(
      try waiting("checking files") { try failing { try entry.differingFiles(at: place) } })
  }

  private func verify(packed path: FilePath, of entry: Dataset) throws {
    let file = try failing { try PackedFile(path) }
    try failing { try file.verify() }
    print("\(path): \(grouped(file.count)) images of \(file.shape): intact")
    for name in file.skipped { print("left out when it was packed: \(name.printable)") }
    if options.packedFile != nil, let data = options.data {
      let isTolerant = options.skipCorrupt
      try failing {
        try file.verify(against: entry.pictures(at: FilePath(data), isTolerant: isTolerant))
      }
      print("\(data): the pictures it was packed from are unchanged")
    }
    for split in file.splits {
      warn(entry.differences(count: try failing { try file.images(split) }.count, of: split))
    }
  }

  private func verify(picturesOf entry: Dataset) throws {
    let pictures = try failing {
      try entry.pictures(at: options.place, isTolerant: options.skipCorrupt)
    }
    for line in pictures.notes { print("\(entry.name): \(line.printable)") }
    for line in pictures.omissions { print("left out: \(line.printable)") }
    let damaged = try failing {
      try pictures.damaged(as: entry.preparation!, stopAtFirst: !options.skipCorrupt)
    }
    for error in damaged { print("damaged: \(error)") }
    for split in Split.allCases {
      let count = pictures.items.count { $0.split == split }
      if count > 0 { print("\(entry.name), \(split.rawValue): \(grouped(count)) pictures") }
      warn(entry.differences(count: count, of: split))
    }
    try warnOfFiles(entry)
    for split in [Split.train, .test] {
      do throws(FileError) { try pictures.require(split) } catch { print("\(error)") }
    }
    print(
      damaged.isEmpty
        ? "all intact" : "\(grouped(damaged.count)) of \(grouped(pictures.items.count)) damaged")
  }
}

/// Says what differs from the official data set.
func warn(_ differences: [String]) {
  for line in differences { print("  not the official set: \(line)") }
}
