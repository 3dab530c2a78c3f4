import LatheFiles

/// Which part of a set each picture below a folder belongs to, by the folders in its path: the
/// outermost that is named like a part decides.
///
/// Names count in any case, with or without numbers and words such as "set" or "images" after them:
/// `train`, `Training`, `train2017`, `test_set`, `val`. Three rules keep classes apart from parts:
///
/// 1. At the top, or where folders hold nothing but one folder each, a part's name is enough.
/// 2. Deeper, it takes two siblings with names of two parts: `bottle/train` and `bottle/test`.
/// 3. With other words around it, it takes a sibling with the same words: `seg_train`, `seg_test`;
///    or `rps` without a part's name, which is for training beside `rps-test-set`.
struct FolderParts {
  /// The part of each picture; nil outside of all parts.
  private(set) var splits: [Split?]
  private let names: [[FileName]]

  /// `names` are paths, sorted.
  init(_ names: [FileName]) {
    self.names = names.map(\.components)
    splits = [Split?](repeating: nil, count: names.count)
    assign(names.indices, depth: 0, isTop: true)
  }

  private mutating func assign(_ range: Range<Int>, depth: Int, isTop: Bool) {
    let folders = folders(in: range, depth: depth)
    let parts = Self.parts(among: folders.map(\.name), isTop: isTop)
    let isOnlyFolder = folders.count == 1 && folders[0].range == range
    for folder in folders {
      if let part = parts[folder.name] {
        for place in folder.range { splits[place] = part }
      } else {
        let isStillTop = isTop && isOnlyFolder && parts.isEmpty
        assign(folder.range, depth: depth + 1, isTop: isStillTop)
      }
    }
  }

  /// The folders at a depth, with the pictures that are below each: neighbours, since names are
  /// sorted.
  private func folders(in range: Range<Int>, depth: Int) -> [(name: FileName, range: Range<Int>)] {
    var folders: [(name: FileName, range: Range<Int>)] = []
    for place in range where names[place].count > depth + 1 {
      let name = names[place][depth]
      if let last = folders.last, last.name == name, last.range.upperBound == place {
        folders[folders.count - 1].range = last.range.lowerBound..<place + 1
      } else {
        folders.append((name, place..<place + 1))
      }
    }
    return folders
  }

  // MARK: Names

  private static func parts(among names: [FileName], isTop: Bool) -> [FileName: Split] {
    let words = names.map { (name: $0, words: PartName($0)) }
    let plain = words.filter { $0.words.rest.isEmpty && $0.words.split != nil }
    let hasTrain = plain.contains { $0.words.split == .train }
    let sure = plain.filter { !$0.words.isWeak || hasTrain }
    var parts: [FileName: Split] = [:]
    if isTop || Set(sure.map(\.words.split)).count > 1 {
      for (name, words) in sure { parts[name] = words.split }
    }
    for group in Dictionary(grouping: words.filter { !$0.words.rest.isEmpty }, by: \.words.rest) {
      let there = Set(group.value.compactMap(\.words.split))
      let hasBare = group.value.contains { $0.words.split == nil }
      guard there.count > 1 || hasBare && !there.isEmpty && there != [.train] else { continue }
      for (name, words) in group.value { parts[name] = words.split ?? .train }
    }
    return parts
  }

  /// The order in which folders are read: those for testing first, so that a picture that is linked
  /// to from two parts is never trained on if it is for testing.
  static func precedence(_ name: FileName) -> Int {
    switch PartName(name).split {
    case .test: 0
    case .validation: 1
    case .train: 2
    case nil: 3
    }
  }
}

/// A folder's name as words, one of which may be that of a part.
private struct PartName {
  private(set) var split: Split?
  /// Whether the word means a part only beside a folder for training.
  private(set) var isWeak = false
  /// The other words, without those that say nothing.
  private(set) var rest: [String] = []

  private static let words: [String: Split] = [
    "train": .train, "training": .train, "trainset": .train, "val": .validation,
    "valid": .validation, "validation": .validation, "valset": .validation, "test": .test,
    "testing": .test, "testset": .test,
  ]
  private static let weakWords: [String: Split] = [
    "dev": .validation, "eval": .test, "evaluation": .test, "tests": .test, "holdout": .test,
  ]
  private static let fillers: Set<String> = [
    "set", "data", "dataset", "images", "image", "imgs", "img", "pictures", "pics", "photos",
    "split",
  ]

  init(_ name: FileName) {
    let text = String(decoding: name.bytes, as: UTF8.self).lowercased()
    for piece in text.split(whereSeparator: { !$0.isLetter }).map(String.init) {
      let part = Self.words[piece] ?? Self.weakWords[piece]
      if split == nil, let part {
        split = part
        isWeak = Self.words[piece] == nil
      } else if !Self.fillers.contains(piece) {
        rest.append(piece)
      }
    }
  }
}
