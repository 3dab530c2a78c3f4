import LatheData

extension ImageSet {
  /// The images of a figure: so many from `first` on or, with a line that says it, as many as there
  /// are.
  ///
  /// - Throws: `CommandFailure` (64) if there is no image of that number.
  func available(_ count: Int, from first: Int) throws -> Range<Int> {
    guard first < self.count else {
      throw CommandFailure.usage(
        "--first: expected at most \(self.count - 1), the last image of the \(split.rawValue) "
          + "split, found \(first)")
    }
    let found = min(count, self.count - first)
    if found < count {
      note("\(count) images asked for; the \(split.rawValue) split has \(found) from \(first) on")
    }
    return first..<first + found
  }

  /// So many different images in random order or, with a line that says it, all of them.
  func drawn(_ count: Int, seed: UInt64) throws -> [Int] {
    let found = try available(count, from: 0).count
    return randomNumbers(found, seed: seed)
  }
}

/// Parts of a command's work that could not be done while the others were.
struct LeftOut {
  private var first: CommandFailure?

  /// Does a part; what stops it is said, and kept for the end.
  mutating func attempt(_ what: String, _ body: () throws -> Void) {
    do { try body() } catch {
      let failure = CommandFailure(error)
      let named = CommandFailure(
        description: "\(what) is left out: \(failure.description)", status: failure.status)
      if first == nil { first = named } else { note(named.description) }
    }
  }

  /// - Throws: the first failure, after all that could be done.
  func finish() throws { if let first { throw first } }
}
