import LatheFiles

/// Which arrays of a file hold images or vectors, and which their labels, for which part; by the
/// names that programs use.
///
/// `images`, `x`, `data`, `codes` or NumPy's `arr_0` hold the images, `labels`, `y` or `arr_1`
/// their labels; with `train`, `val` or `test` beside it, as in `x_train` or `test_labels`, those
/// of a part. An array that is alone may have any name.
struct ArrayParts: Sendable {
  struct Part: Sendable {
    var images: String
    var labels: String?
  }

  /// By part; nil where the file has no parts.
  private(set) var parts: [Split?: Part] = [:]
  /// Arrays that are neither.
  private(set) var others: [String] = []

  private static let imageWords: Set<String> = [
    "x", "images", "image", "imgs", "img", "data", "samples", "codes", "features", "vectors",
    "embeddings", "latents", "z", "arr_0", "",
  ]
  private static let labelWords: Set<String> = [
    "y", "labels", "label", "targets", "target", "classes", "class", "arr_1",
  ]
  private static let splitWords: [String: Split] = [
    "train": .train, "training": .train, "val": .validation, "valid": .validation,
    "validation": .validation, "test": .test, "testing": .test,
  ]

  /// - Throws: `FileError` (damaged) if it is not clear which arrays are meant, with all of them.
  init(_ file: NumPyFile) throws(FileError) {
    var (images, labels): ([Split?: [String]], [Split?: [String]]) = ([:], [:])
    for name in file.names {
      let (split, word) = Self.words(of: name)
      if Self.labelWords.contains(word) {
        labels[split, default: []].append(name)
      } else if Self.imageWords.contains(word), split != nil || !word.isEmpty || name.isEmpty {
        images[split, default: []].append(name)
      } else {
        others.append(name)
      }
    }
    if images.isEmpty, others.count == 1 { images = [nil: [others.removeFirst()]] }
    let isClear = images.count == 1 || images[nil] == nil
    let areSingle = (Array(images.values) + Array(labels.values)).allSatisfy { $0.count == 1 }
    guard !images.isEmpty, isClear, areSingle else { throw Self.unclear(file) }
    for (split, names) in images {
      parts[split] = Part(images: names[0], labels: labels[split]?[0])
    }
    others += labels.filter { images[$0.key] == nil }.flatMap(\.value)
  }

  /// The part in a name, and what else is in it.
  private static func words(of name: String) -> (Split?, String) {
    let words = name.lowercased().split { "_-. ".contains($0) }.map(String.init)
    let split = words.lazy.compactMap { splitWords[$0] }.first
    return (split, words.filter { splitWords[$0] == nil }.joined(separator: "_"))
  }

  private static func unclear(_ file: NumPyFile) -> FileError {
    let isStatistics = Set(file.names).isSuperset(of: ["mu", "sigma"])
    return FileError(
      .damaged, "arrays", path: file.path,
      expected: "one array, or images (x, data, codes) and labels (y), or x_train, x_test …",
      found: isStatistics ? "mu and sigma, statistics for lathe fid" : file.summary,
      hint: isStatistics ? nil : "Save the arrays that are meant under such names")
  }

  // MARK: What follows

  /// The splits that there are images for; `count` is the number of a part's images.
  func splits(_ count: (Part) throws(FileError) -> Int) throws(FileError) -> [Split] {
    var splits = Set(parts.keys.compactMap { $0 })
    if let whole = parts[nil] ?? (splits == [.train] ? parts[.train] : nil) {
      splits = try count(whole) >= Self.every ? [.train, .test] : [.train]
    }
    if splits.contains(.validation) { splits.insert(.test) }
    return Split.allCases.filter(splits.contains)
  }

  /// Of arrays without a part for testing, every tenth image is for testing.
  static let every = 10

  /// Where the images of a split are: in which part, and whether they are all of it, those for
  /// testing or the others.
  func source(of split: Split) -> (part: Part, share: Share)? {
    let whole = parts[nil] ?? (parts.count == 1 ? parts[.train] : nil)
    switch split {
    case .train: return whole.map { ($0, .others) } ?? parts[.train].map { ($0, .all) }
    case .validation: return parts[.validation].map { ($0, .all) }
    case .test:
      return (parts[.test] ?? parts[.validation]).map { ($0, .all) }
        ?? whole.map { ($0, .everyTenth) }
    }
  }

  /// Which images of a part.
  enum Share {
    case all, everyTenth, others

    /// Their numbers, of `count` in all.
    func rows(of count: Int) -> [Int] {
      (0..<count).filter {
        let isTenth = $0 % ArrayParts.every == ArrayParts.every - 1
        return self == .all || isTenth == (self == .everyTenth)
      }
    }
  }

  /// What is to be known of how splits were made.
  var note: String? {
    guard parts[.test] == nil else { return nil }
    if parts[.validation] != nil {
      return "no part test: the images for validation are for testing too"
    }
    return "no part test: every tenth image is for testing"
  }
}
