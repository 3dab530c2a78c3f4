import LatheFiles
import SystemPackage

extension Dataset {
  /// Faces: Liu, Luo, Wang, Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015; the
  /// aligned pictures with their official partition.
  public static let celebA = Dataset(
    name: "celeba",
    summary: "aligned faces with 40 attributes, resized to 64 × 64 colour",
    shape: CelebA.preparation.shape,
    officialCounts: [.train: 162_770, .validation: 19_867, .test: 19_962],
    splits: Split.allCases,
    classNames: [],
    preparation: CelebA.preparation,
    origin: .pictures(
      PictureOrigin(
        instructions: """
          "lathe data get celeba" says how to get it from \
          https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html. Put \
          img_align_celeba.zip (or the folder that is in it), list_attr_celeba.txt and \
          list_eval_partition.txt (or Kaggle's .csv), and if you like identity_CelebA.txt, into \
          data/celeba or the folder celeba below $LATHE_DATA, or name their folder
          """,
        contents: "img_align_celeba or img_align_celeba.zip with its lists",
        scan: { (place, isTolerant) throws(FileError) in
          try CelebA(at: place)?.listing(isTolerant: isTolerant)
        })))
}

/// The files of CelebA.
struct CelebA {
  /// The crop of the RAE and WAE papers' programs.
  static let preparation = Preparation(size: 64, crop: 140, filter: .bilinear)
  /// The aligned pictures' size.
  static let pictureSize = (height: 218, width: 178)
  static let folders = ["", "Img", "Anno", "Eval"]

  private let pictures: FilePath
  private let attributes, partition: TextTable
  private let identities: TextTable?

  /// The files in a folder, its subfolders `Img`, `Anno` and `Eval`, or the one folder in it; nil
  /// if none is there.
  ///
  /// - Throws: `FileError`: missing if some are there and others not, mismatch for CelebA-HQ.
  init?(at place: FilePath) throws(FileError) {
    let places = [place] + (FileSystem.onlyFolder(in: place).map { [$0] } ?? [])
    func find(_ names: String...) -> FilePath? {
      names.lazy.flatMap { name in
        places.flatMap { place in Self.folders.map { place.appending($0).appending(name) } }
      }.first { FileSystem.status($0) != nil }
    }
    func list(_ name: String) -> FilePath? { find("\(name).txt", "\(name).csv") }
    let found = (
      find("img_align_celeba/img_align_celeba", "img_align_celeba", "img_align_celeba.zip"),
      list("list_attr_celeba"), list("list_eval_partition")
    )
    if found == (nil, nil, nil) {
      try Self.refuseOtherKinds(at: place)
      return nil
    }
    guard let pictures = found.0 else {
      try Self.refuseOtherKinds(at: place)
      throw Self.lacking("img_align_celeba or img_align_celeba.zip", place)
    }
    guard let attributes = found.1 else {
      throw Self.lacking("list_attr_celeba.txt or .csv", place)
    }
    guard let partition = found.2 else {
      throw Self.lacking("list_eval_partition.txt or .csv", place)
    }
    self.pictures = pictures
    self.attributes = try TextTable(attributes)
    self.partition = try TextTable(partition)
    var identities: TextTable?
    if let path = list("identity_CelebA") { identities = try TextTable(path) }
    self.identities = identities
  }

  private static func lacking(_ name: String, _ place: FilePath) -> FileError {
    let below = folders.dropFirst().joined(separator: ", ")
    return FileError(
      .missing, "celeba", path: place, expected: name, found: "none there or in its \(below)",
      hint: Dataset.celebA.instructions)
  }

  /// CelebA-HQ has pictures of its own and no partition; CelebA's other pictures are packed in ways
  /// that are not read.
  private static func refuseOtherKinds(at place: FilePath) throws(FileError) {
    let others = [
      ("CelebAMask-HQ", "CelebA-HQ"), ("CelebA-HQ-img", "CelebA-HQ"),
      ("celeba_hq_256", "CelebA-HQ"), ("celeba_hq", "CelebA-HQ"), ("celeba-hq", "CelebA-HQ"),
      ("CelebA-HQ-to-CelebA-mapping.txt", "CelebA-HQ"), ("data1024x1024", "CelebA-HQ"),
      ("celebahq-resized-256x256", "CelebA-HQ"),
      ("img_align_celeba_png", "CelebA as PNG"), ("img_celeba.7z", "a 7z archive of CelebA"),
      ("img_align_celeba_png.7z", "a 7z archive of CelebA"),
      ("img_celeba", "CelebA in the wild, not aligned"),
    ]
    let own = place.lastComponent?.string
    let found = others.first { name, _ in
      own == name
        || folders.contains { FileSystem.exists(place.appending($0).appending(name)) }
    }
    guard let (name, kind) = found else { return }
    throw FileError(
      .mismatch, "celeba", path: place, expected: "img_align_celeba, the aligned pictures",
      found: "\(name), \(kind)",
      hint: "Pictures of any kind train as a folder: lathe train MODEL folder --data FOLDER")
  }

  /// All pictures, checked against the lists.
  ///
  /// - Throws: `FileError` for the first row or picture on which the lists and the folder disagree,
  ///   unless `isTolerant`: then those are left out and named.
  func listing(isTolerant: Bool) throws(FileError) -> ImageListing {
    var rows = try AttributeRows(attributes)
    var store = ImageStore.folder(pictures)
    if FileSystem.isFile(pictures) { store = try .zip(pictures, below: "img_align_celeba/") }
    let persons = try identities.map { (table) throws(FileError) in try Self.persons(table) }
    let present = Set(try store.pictures(deeply: false))
    if present.isEmpty { throw Self.lacking("pictures", pictures) }
    var check = Agreement(isTolerant: isTolerant)
    var splits = try Self.splits(partition)
    try check.partition(
      partition, splits, against: present, in: pictures, rows, attributes, persons, identities)
    splits.removeAll { check.isOmitted($0.name) }
    guard !splits.isEmpty else {
      throw FileError(
        .missing, "celeba", path: pictures, expected: "pictures", found: "none that the lists name")
    }
    let ordered = Split.allCases.flatMap { split in splits.filter { $0.split == split } }
    rows.select(ordered.map(\.name))
    return ImageListing(
      dataset: "celeba", items: ordered.map { .init(name: $0.name, split: $0.split) },
      attributeNames: rows.names, omissions: check.omissions, attributes: rows.bits,
      identities: persons.map { persons in ordered.map { persons[$0.name]! } } ?? [],
      store: store, requirement: Self.requirement, listChecksum: listChecksum,
      listDigest: listDigest)
  }

  private static var requirement: ImageRequirement {
    var requirement = ImageRequirement()
    requirement.size = pictureSize
    requirement.refusesGrey = true
    return requirement
  }

  /// CRC-32 of all lists.
  private var listChecksum: UInt32 {
    var checksum = Checksum()
    for table in [attributes, partition] + (identities.map { [$0] } ?? []) {
      table.add(to: &checksum)
    }
    return checksum.value
  }

  /// SHA-256 of all lists.
  private var listDigest: [UInt8] {
    let tables = [attributes, partition] + (identities.map { [$0] } ?? [])
    return SHA256.digest(of: tables.flatMap(\.digest))
  }

  typealias Assignment = (name: String, split: Split, line: Int)

  /// Rows `NAME P` with P 0 for training, 1 for validation, 2 for testing.
  static func splits(_ table: TextTable) throws(FileError) -> [Assignment] {
    var (splits, lines): ([Assignment], [String: Int]) = ([], [:])
    try table.forEachRow { (row) throws(FileError) in
      if table.isHeader(row) { return }
      let order: [Split] = [.train, .validation, .test]
      guard row.count == 2, let part = row.integer(1), order.indices.contains(part) else {
        throw table.damaged(
          "partition", line: row.line, "a name and 0, 1 or 2", row.shown)
      }
      let name = row.text(0)
      try table.refuseRepetition(of: name, line: row.line, in: &lines)
      splits.append((name, order[part], row.line))
    }
    return splits
  }

  /// Rows `NAME PERSON`.
  static func persons(_ table: TextTable) throws(FileError) -> [String: Int32] {
    var (persons, lines): ([String: Int32], [String: Int]) = ([:], [:])
    try table.forEachRow { (row) throws(FileError) in
      if table.isHeader(row) { return }
      guard row.count == 2, let person = row.integer(1) else {
        throw table.damaged(
          "identity", line: row.line, "a name and a number", row.shown)
      }
      let name = row.text(0)
      try table.refuseRepetition(of: name, line: row.line, in: &lines)
      persons[name] = Int32(person)
    }
    return persons
  }
}

extension TextTable {
  func refuseRepetition(of name: String, line: Int, in lines: inout [String: Int])
    throws(FileError)
  {
    if let first = lines.updateValue(line, forKey: name) {
      throw damaged(
        "name", line: line, "each name once", "\(name.prefix(100)) again, as in line \(first)")
    }
  }
}

/// The attributes of pictures: a line with the number of rows, a line of names, then `NAME ±1 ±1
/// …`; in a CSV a line of names, `image_id` first, then the rows.
struct AttributeRows {
  private(set) var names: [String] = []
  /// A bit each from the lowest, `[rows, bytes of a row]`.
  private(set) var bits: [UInt8] = []
  private(set) var lines: [String: Int] = [:]
  private var places: [String: Int] = [:]

  /// Attributes of a picture.
  private static let most = 1000
  /// Bytes of an attribute's name.
  private static let longestName = 200

  init(_ table: TextTable) throws(FileError) {
    var announced: Int?
    var isHeaderRead = false
    try table.forEachRow { (row) throws(FileError) in
      if table.isHeader(row) {
        try setNames(row, from: 1, of: table)
        isHeaderRead = true
      } else if announced == nil, !isHeaderRead {
        announced = row.count == 1 ? row.integer(0) : nil
        guard announced ?? -1 >= 0 else {
          throw table.damaged("attributes", line: row.line, "the number of rows", row.shown)
        }
      } else if !isHeaderRead {
        try setNames(row, from: 0, of: table)
        isHeaderRead = true
      } else {
        try add(row, of: table)
      }
    }
    guard isHeaderRead, announced ?? places.count == places.count else {
      throw table.damaged(
        "attributes", line: 1, "as many rows as line 1 says, \(announced ?? 0)", "\(places.count)")
    }
  }

  private mutating func setNames(
    _ row: TextTable.Row, from first: Int, of table: TextTable
  ) throws(FileError) {
    guard row.count - first <= Self.most else {
      throw table.damaged(
        "attributes", line: row.line, "at most \(Self.most)", "\(row.count - first)")
    }
    names = (first..<row.count).map(row.text)
    if let long = names.first(where: { $0.utf8.count > Self.longestName }) {
      throw table.damaged(
        "name of an attribute", line: row.line, "at most \(Self.longestName) bytes",
        "\(long.utf8.count)")
    }
    guard Set(names).count == names.count else {
      throw table.damaged("attributes", line: row.line, "each name once", "one of them twice")
    }
  }

  private mutating func add(_ row: TextTable.Row, of table: TextTable) throws(FileError) {
    guard row.count == names.count + 1 else {
      throw table.damaged(
        "attributes", line: row.line, "a name and \(names.count) values", "\(row.count) fields")
    }
    let name = row.text(0)
    try table.refuseRepetition(of: name, line: row.line, in: &lines)
    places[name] = places.count
    let start = bits.count
    bits += [UInt8](repeating: 0, count: ImageListing.bytesPerRow(attributes: names.count))
    for attribute in names.indices {
      switch row.integer(attribute + 1) {
      case 1: bits[start + attribute / 8] |= 1 << (attribute % 8)
      case -1: break
      default:
        throw table.damaged(
          names[attribute], line: row.line, "1 or -1", String(row.text(attribute + 1).prefix(100)))
      }
    }
  }

  func line(of name: String) -> Int? { lines[name] }

  /// Keeps the rows of these names, in this order.
  mutating func select(_ names: [String]) {
    let width = ImageListing.bytesPerRow(attributes: self.names.count)
    let old = bits
    bits = names.flatMap { old[places[$0]! * width..<(places[$0]! + 1) * width] }
  }
}

/// Compares lists with each other and with the pictures.
private struct Agreement {
  let isTolerant: Bool
  private(set) var omissions: [String] = []
  private var omitted: Set<String> = []

  init(isTolerant: Bool) { self.isTolerant = isTolerant }

  func isOmitted(_ name: String) -> Bool { omitted.contains(name) }

  mutating func partition(
    _ table: TextTable, _ splits: [CelebA.Assignment], against present: Set<String>,
    in pictures: FilePath, _ rows: AttributeRows, _ attributes: TextTable,
    _ persons: [String: Int32]?, _ identities: TextTable?
  ) throws(FileError) {
    try check(splits, of: table, pictures, present, rows, attributes, persons, identities)
    let listed = Set(splits.map(\.name))
    for name in present.subtracting(listed).sorted() {
      try note(
        name,
        FileError(
          .damaged, "picture", path: pictures.appending(name), expected: "a row in \(table.path)",
          found: "none"))
    }
    for (name, line) in rows.lines.sorted(by: { $0.value < $1.value }) where !listed.contains(name)
    {
      try note(
        name,
        attributes.damaged("attributes", line: line, "\(name) in \(table.path)", "no such row"))
    }
  }

  /// Each row of the partition needs its picture, its attributes, and its person if there is a
  /// list.
  private mutating func check(
    _ splits: [CelebA.Assignment], of table: TextTable, _ pictures: FilePath,
    _ present: Set<String>, _ rows: AttributeRows, _ attributes: TextTable,
    _ persons: [String: Int32]?, _ identities: TextTable?
  ) throws(FileError) {
    for row in splits {
      let lacking: (place: FilePath, what: String)?
      if !present.contains(row.name) {
        lacking = (pictures, "picture")
      } else if rows.line(of: row.name) == nil {
        lacking = (attributes.path, "row")
      } else if let persons, let identities, persons[row.name] == nil {
        lacking = (identities.path, "row")
      } else {
        lacking = nil
      }
      guard let lacking else { continue }
      try note(
        row.name,
        table.damaged(
          "partition", line: row.line, "\(row.name) in \(lacking.place)",
          "no such \(lacking.what)"))
    }
  }

  private mutating func note(_ name: String, _ error: FileError) throws(FileError) {
    guard isTolerant else { throw error.advisingToSkip }
    omitted.insert(name)
    omissions.append("\(error)")
  }
}
