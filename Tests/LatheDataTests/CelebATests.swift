import LatheFiles
import LatheData
import Glibc
import SystemPackage
import func TestSupport.fileError
import Testing

private let celebAFolder = getenv("LATHE_CELEBA").map { FilePath(platformString: $0) }

@Suite struct CelebATests {
  private let entry = Dataset.celebA
  private let source: CelebAFolder

  init() throws { source = try CelebAFolder(count: 6) }

  private func error() -> FileError? {
    fileError { () throws(FileError) in try entry.pictures(at: source.path) }
  }

  private func partition(_ change: (inout [String]) -> Void) throws {
    var rows = (0..<6).map { "\(CelebAFolder.name($0)) \($0 % 3)" }
    change(&rows)
    try source.write(partition: rows)
  }

  private func attributes(announced: Int = 6, _ change: (inout [String]) -> Void) throws {
    var rows = (0..<6).map(CelebAFolder.row)
    change(&rows)
    try source.write(attributes: rows, announced: announced)
  }

  @Test func goesByThePartition() throws {
    try partition { $0.reverse() }
    let pictures = try entry.pictures(at: source.path)
    #expect(
      pictures.items.map(\.name) == [3, 0, 4, 1, 5, 2].map(CelebAFolder.name),
      "the order of the list within each split")
    #expect(
      pictures.items.map(\.split) == [.train, .train, .validation, .validation, .test, .test])
    #expect(pictures.attributeNames == CelebAFolder.attributes)
  }

  @Test func listsMustBeWhole() throws {
    try partition { $0[2] = "000003.jpg 3" }
    #expect(error()?.line == 3 && error()?.found == "000003.jpg 3")
    try partition { $0[2] = "000003.jpg" }
    #expect(error()?.line == 3 && error()?.expected == "a name and 0, 1 or 2")
    try partition { $0[4] = $0[1] }
    #expect(error()?.line == 5 && error()?.found == "000002.jpg again, as in line 2")
    try partition { _ in }
    try attributes { $0.removeLast() }
    #expect(error()?.line == 1 && error()?.found == "5")
    try attributes { $0[3] += " 1" }
    #expect(error()?.line == 6 && error()?.found == "11 fields")
    try attributes { $0[0] = $0[0].replacing(" -1", with: "  0", maxReplacements: 1) }
    #expect(error()?.line == 3 && error()?.what == "Male" && error()?.found == "0")
    try attributes { $0[5] = $0[0] }
    #expect(error()?.line == 8 && error()?.found == "000001.jpg again, as in line 3")
    try attributes(announced: -1) { _ in }
    #expect(error()?.line == 1 && error()?.expected == "the number of rows")
    try source.write(attributes: [], announced: 0)
    #expect(error()?.kind == .damaged)
  }

  @Test func listsMustAgree() throws {
    try partition { $0.removeLast() }
    let surplus = source.path.appending("img_align_celeba/000006.jpg")
    #expect(error()?.path == surplus && error()?.found == "none")
    unlink(surplus.string)
    #expect(error()?.line == 8 && error()?.what == "attributes", "a row without picture or split")
    try partition { _ in }
    #expect(error()?.line == 6 && error()?.found == "no such picture")
    #expect(error()?.path == source.path.appending("list_eval_partition.txt"))
    try partition { $0.removeLast() }
    try attributes(announced: 4) { $0.removeLast(2) }
    #expect(error()?.line == 5 && error()?.found == "no such row")
    try attributes(announced: 5) { $0.removeLast() }
    #expect(error() == nil)
    try source.write(identities: (0..<4).map { "\(CelebAFolder.name($0)) 1" })
    #expect(error()?.line == 5 && error()?.expected?.hasSuffix("identity_CelebA.txt") == true)
    try source.write(identities: ["000001.jpg me"])
    #expect(error()?.line == 1 && error()?.what == "identity")
  }

  @Test func toleranceNamesWhatItLeavesOut() throws {
    try partition { $0[1] = "999999.jpg 0" }
    let pictures = try entry.pictures(at: source.path, isTolerant: true)
    #expect(pictures.items.count == 5 && pictures.omissions.count == 3)
    #expect(
      pictures.omissions[0].contains("999999.jpg") && pictures.omissions[0].contains("line 2"))
  }

  @Test func missingPartsAreNamed() throws {
    unlink(source.path.appending("list_eval_partition.txt").string)
    #expect(error()?.kind == .missing && error()?.expected == "list_eval_partition.txt or .csv")
    let empty = TemporaryFolder()
    let nothing = fileError { () throws(FileError) in try entry.pictures(at: empty.path) }
    #expect(nothing?.kind == .missing && nothing?.hint == entry.instructions)
  }

  /// Kaggle's layout: lists with commas and a line of names, pictures one folder deeper.
  @Test(arguments: ["\n", "\r\n", "\r"], ["", "archive/"])
  func commasWillDo(end: String, top: String) throws {
    let mark = end == "\n" ? "" : "\u{feff}"
    let folder = TemporaryFolder()
    for index in 0..<6 {
      try folder.write(
        face(index), to: "\(top)img_align_celeba/img_align_celeba/\(CelebAFolder.name(index))")
    }
    func list(_ name: String, _ rows: [String]) throws {
      try folder.write(Array((mark + rows.map { $0 + end }.joined()).utf8), to: top + name)
    }
    let names = CelebAFolder.attributes
    try list(
      "list_attr_celeba.csv",
      ["image_id," + names.joined(separator: ",")]
        + (0..<6).map { index in
          CelebAFolder.row(index).split(separator: " ").joined(separator: ",")
        })
    try list(
      "list_eval_partition.csv",
      ["\"image_id\",\"partition\""] + (0..<6).map { "\(CelebAFolder.name($0)), \($0 % 3)" })
    let pictures = try entry.pictures(at: folder.path)
    #expect(pictures.attributeNames == names)
    #expect(pictures.items.map(\.name) == [0, 3, 1, 4, 2, 5].map(CelebAFolder.name))
    let other = try entry.pictures(at: source.path)
    #expect(other.items.map(\.split) == pictures.items.map(\.split))
    let file = try pack(pictures, as: entry.preparation!, to: folder.path.appending("a")).file
    let attributes = try #require(try file.images(.test).attributes)
    #expect((0..<9).map { attributes[1, $0] } == (0..<9).map { (5 + $0) % 3 == 0 })
  }

  @Test(arguments: [
    ("CelebA-HQ-img/0.jpg", "CelebA-HQ"), ("celeba_hq_256/00000.jpg", "CelebA-HQ"),
    ("Img/img_align_celeba_png.7z/a.001", "7z"), ("img_celeba/000001.jpg", "not aligned"),
  ]) func otherKindsAreNamed(name: String, kind: String) throws {
    let folder = TemporaryFolder()
    try folder.write([1], to: name)
    let error = fileError { () throws(FileError) in try entry.pictures(at: folder.path) }
    #expect(error?.kind == .mismatch && error?.found?.contains(kind) == true)
  }

  @Test func whatIsNoListIsNamed() throws {
    for (text, found) in [
      ("<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>", "an HTML page"),
      ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ] {
      try source.folder.write(Array(text.utf8), to: "list_eval_partition.txt")
      #expect(error()?.kind == .damaged && error()?.found?.hasPrefix(found) == true)
    }
    try source.folder.write([0xff, 0xfe, 0x30, 0], to: "list_eval_partition.txt")
    #expect(error()?.found?.hasPrefix("UTF-16") == true)
  }

  /// Lists that would fill the memory: 10 GB of holes, a row of a million fields, a name of a
  /// megabyte, more attributes than anybody has.
  @Test func listsAreBounded() throws {
    let path = source.path.appending("list_eval_partition.txt")
    path.withPlatformString { _ = truncate($0, 10_000_000_000) }
    #expect(error()?.kind == .damaged && error()?.found == "10000000000")
    try partition { $0[2] = String(repeating: "0 ", count: 1_000_000) }
    #expect(error()?.line == 3 && error()?.expected == "at most 4096 fields")
    try partition { $0[2] = String(repeating: "0", count: 1_000_000) + " 1" }
    #expect(error()?.line == 3 && error()?.expected == "at most 4096 bytes")
    try partition { _ in }
    let names = (0..<1001).map { "a\($0)" }.joined(separator: " ")
    try source.folder.write(Array("0\n\(names)\n".utf8), to: "list_attr_celeba.txt")
    #expect(error()?.line == 2 && error()?.expected == "at most 1000")
    let long = String(repeating: "a", count: 201)
    try source.folder.write(Array("0\n\(long)\n".utf8), to: "list_attr_celeba.txt")
    #expect(error()?.line == 2 && error()?.expected == "at most 200 bytes")
    try source.folder.write(Array("0\nMale Male\n".utf8), to: "list_attr_celeba.txt")
    #expect(error()?.line == 2 && error()?.expected == "each name once")
  }

  @Test func anEmptyFolderIsRefused() throws {
    for index in 0..<6 {
      unlink(source.path.appending("img_align_celeba/\(CelebAFolder.name(index))").string)
    }
    #expect(error()?.kind == .missing && error()?.hint == entry.instructions)
    #expect(
      fileError { () throws(FileError) in
        try entry.pictures(at: source.path, isTolerant: true)
      }?.expected == "pictures")
  }

  @Test(.enabled(if: celebAFolder != nil, "needs CelebA's files in the folder LATHE_CELEBA"))
  func realFiles() throws {
    let folder = TemporaryFolder()
    let pictures = try entry.pictures(at: celebAFolder)
    #expect(pictures.attributeNames.count == 40)
    #expect(pictures.attributeNames[20] == "Male" && pictures.attributeNames[31] == "Smiling")
    #expect(pictures.items[0].name == "000001.jpg")
    #expect(Set(pictures.items.map(\.split)).count == 3)
    let file = try pack(pictures, as: entry.preparation!, to: folder.path.appending("a")).file
    #expect(file.count == pictures.items.count)
    try file.verify()
    // Row 1 of the list: -1 1 1 -1 …
    let attributes = try file.images(.train).attributes!
    #expect((0..<4).map { attributes[0, $0] } == [false, true, true, false])
  }
}

@Suite struct ImageFolderTests {
  let folder = TemporaryFolder()
  private let entry = Dataset.folder

  private func add(_ names: [String]) throws {
    for (seed, name) in names.enumerated() {
      try folder.write(
        jpeg(picture(height: 30, width: 40 + seed, seed: seed), height: 30, width: 40 + seed),
        to: name)
    }
  }

  @Test func everyTenthIsForTesting() throws {
    try add((0..<25).map { String(format: "deep/%02d.JPG", $0) } + [".hidden.jpg"])
    try folder.write([1], to: "notes.txt")
    let pictures = try entry.pictures(at: folder.path)
    #expect(pictures.items.count == 25)
    #expect(
      pictures.items.filter { $0.split == .test }.map(\.name) == ["deep/09.JPG", "deep/19.JPG"])
    let file = try pack(pictures, as: Preparation(size: 8), to: folder.path.appending("a")).file
    #expect(try file.images(.train).count == 23 && file.splits == [.train, .test])
  }

  @Test func subfoldersDivide() throws {
    try add(["train/a.jpg", "test/b.jpg", "validation/c.jpg", "other/d.jpg"])
    let pictures = try entry.pictures(at: folder.path)
    #expect(pictures.items.map(\.name) == ["train/a.jpg", "validation/c.jpg", "test/b.jpg"])
  }

  @Test func aZipWillDo() throws {
    let content = jpeg(picture(height: 30, width: 30), height: 30, width: 30)
    let path = try folder.write(zip([("x/a.jpg", content), ("x/b.txt", [1])]), to: "a.zip")
    #expect(try entry.pictures(at: path).items.map(\.name) == ["x/a.jpg"])
    let twice = try folder.write(zip([("a.jpg", content), ("a.jpg", content)]), to: "b.zip")
    let error = fileError { () throws(FileError) in try entry.pictures(at: twice) }
    #expect(error?.found == "a.jpg twice")
  }

  @Test func picturesSmallerThanTheCropAreNamed() throws {
    try add(["a.jpg"])
    let pictures = try entry.pictures(at: folder.path)
    let error = fileError { () throws(FileError) in
      try pack(pictures, as: Preparation(size: 8, crop: 31), to: folder.path.appending("p"))
    }
    #expect(error?.path == folder.path.appending("a.jpg"))
    #expect(error?.expected == "at least 31 rows and columns" && error?.found == "30 rows of 40")
  }

  @Test func anEmptyFolderIsRefused() {
    let error = fileError { () throws(FileError) in try entry.pictures(at: folder.path) }
    #expect(error?.kind == .missing && error?.expected == "JPEG or PNG pictures")
  }
}
