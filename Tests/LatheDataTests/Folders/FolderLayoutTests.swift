import LatheData
import LatheFiles
import SystemPackage
import Testing

import func TestSupport.fileError

/// Which pictures of a folder are for training, for validation and for testing.
@Suite struct FolderLayoutTests {
  let folder = TemporaryFolder()

  /// A layout: files with how many pictures each stands for, and what is made of them.
  struct Layout: CustomStringConvertible, Sendable {
    let description: String
    let files: [String: Int]
    let counts: [Int]
    var note: String?
  }

  static let layouts = [
    Layout(description: "flat", files: ["": 20], counts: [18, 0, 2]),
    Layout(description: "classes", files: ["cat": 15, "dog": 15], counts: [27, 0, 3]),
    Layout(
      description: "ImageNet", files: ["train/a": 20, "val/a": 10], counts: [20, 10, 0],
      note: "validation are for testing too"),
    Layout(
      description: "three parts", files: ["train/a": 20, "valid/a": 10, "test/a": 5],
      counts: [20, 10, 5]),
    Layout(description: "capitals", files: ["Train": 20, "TEST": 10], counts: [20, 0, 10]),
    Layout(
      description: "words", files: ["training_set/a": 20, "test_set/a": 5], counts: [20, 0, 5]),
    Layout(
      description: "years", files: ["train2017": 20, "val2017": 10, "test2017": 5],
      counts: [20, 10, 5]),
    Layout(description: "dogs and cats", files: ["train": 20, "test1": 10], counts: [20, 0, 10]),
    Layout(
      description: "prefixes", files: ["seg_train/seg_train/a": 20, "seg_test/seg_test/a": 10],
      counts: [20, 0, 10]),
    Layout(
      description: "a bare sibling", files: ["rps/rock": 20, "rps-test-set/rock": 5],
      counts: [20, 0, 5]),
    Layout(
      description: "a bare sibling of validation",
      files: ["horse-or-human/a": 20, "validation-horse-or-human/a": 5], counts: [20, 5, 0],
      note: "validation are for testing too"),
    Layout(
      description: "top folders", files: ["set/data/train/a": 20, "set/data/test/a": 10],
      counts: [20, 0, 10]),
    Layout(
      description: "images inside", files: ["train/images": 20, "test/images": 10],
      counts: [20, 0, 10]),
    Layout(
      description: "images outside", files: ["images/train": 20, "images/test": 10],
      counts: [20, 0, 10]),
    Layout(
      description: "class first",
      files: [
        "cable/train/good": 10, "cable/test/good": 5, "tile/train/good": 10,
        "tile/test/bad": 5, "tile/ground_truth/bad": 5,
      ],
      counts: [20, 0, 10], note: "5 pictures outside"),
    Layout(
      description: "classes named like parts",
      files: [
        "train/test": 10, "train/val": 10,
        "test/train": 5,
      ], counts: [20, 0, 5]),
    Layout(
      description: "a class named train",
      files: ["vehicles/train": 10, "vehicles/bus": 10, "cat": 10],
      counts: [27, 0, 3]),
    Layout(
      description: "train alone", files: ["train": 20], counts: [18, 0, 2],
      note: "every tenth picture, 2"),
    Layout(description: "test alone", files: ["test/a": 10], counts: [0, 0, 10]),
    Layout(
      description: "classes beside test", files: ["cat": 10, "dog": 10, "test": 5],
      counts: [20, 0, 5], note: "the 20 pictures outside are for training"),
    Layout(
      description: "others beside the parts", files: ["train": 10, "test": 5, "extra": 3],
      counts: [10, 0, 5], note: "3 pictures outside"),
    Layout(
      description: "evaluation means test",
      files: [
        "training": 10, "validation": 4,
        "evaluation": 6,
      ], counts: [10, 4, 6]),
    Layout(description: "nine", files: ["": 9], counts: [9, 0, 0]),
  ]

  private func counts(_ listing: ImageListing) -> [Int] {
    [Split.train, .validation, .test].map { split in listing.items.count { $0.split == split } }
  }

  private func names(of layout: Layout) -> [String] {
    layout.files.flatMap { place, count in
      (0..<count).map { (place.isEmpty ? "" : "\(place)/") + "\($0).png" }
    }
  }

  @Test(arguments: layouts) func aFolder(_ layout: Layout) throws {
    for name in names(of: layout) { try folder.write([1], to: name) }
    let listing = try Dataset.folder.pictures(at: folder.path)
    #expect(counts(listing) == layout.counts)
    #expect(
      listing.notes.contains { $0.contains(layout.note ?? "no such line") } == (layout.note != nil))
  }

  @Test(arguments: layouts, ["", "./", "top/"]) func aZip(_ layout: Layout, prefix: String) throws {
    let files = names(of: layout).map { (name: prefix + $0, content: [UInt8(1)]) }
    let path = try folder.write(zip(files), to: "set.zip")
    #expect(counts(try Dataset.folder.pictures(at: path)) == layout.counts)
  }

  @Test func aZipWithBackslashes() throws {
    let files = (0..<12).map {
      (name: "set\\\($0 < 8 ? "train" : "test")\\\($0).png", content: [UInt8(1)])
    }
    let path = try folder.write(zip(files), to: "set.zip")
    #expect(counts(try Dataset.folder.pictures(at: path)) == [8, 0, 4])
  }

  @Test(arguments: ["../a.png", "x/../../a.png", "/etc/a.png", "C:/a.png", "C:\\a.png"])
  func aNameThatLeadsOutIsRefused(name: String) throws {
    let path = try folder.write(zip([(name, [1]), ("b.png", [1])]), to: "set.zip")
    let error = fileError { () throws(FileError) in try Dataset.folder.pictures(at: path) }
    #expect(error?.kind == .damaged && error?.path == path)
    #expect(error?.found == name.replacing("\\", with: "/"))
  }

  @Test func whatASplitNeedsIsSaid() throws {
    for number in 0..<9 { try folder.write([1], to: "\(number).png") }
    let nine = try Dataset.folder.pictures(at: folder.path)
    let error = fileError { () throws(FileError) in try nine.require(.test) }
    #expect(error?.kind == .missing && error?.path == folder.path)
    #expect(error?.expected?.contains("at least 10 pictures") == true)
    #expect(error?.hint?.contains("test") == true)
    try nine.require(.train)
    let tests = try folder.write([1], to: "only/test/a.png").removingLastComponent()
    let alone = try Dataset.folder.pictures(at: tests.removingLastComponent())
    #expect(fileError { () throws(FileError) in try alone.require(.train) }?.kind == .missing)
  }
}
