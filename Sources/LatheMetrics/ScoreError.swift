/// Why a score cannot be computed from what is given.
public enum ScoreError: Error, Equatable, Sendable {
  /// Two things that must have the same size have not.
  case sizes(_ what: String, expected: Int, found: Int)
  /// There are fewer samples than the score needs.
  case tooFew(_ what: String, needed: Int, found: Int)
  /// There is more of something than fits into memory.
  case tooMany(_ what: String, limit: Int, found: Int)
  /// A number is infinite or not a number.
  case notFinite(_ what: String)
}

extension ScoreError: CustomStringConvertible {
  /// For example `feature dimensions: expected 768, found 2048`.
  public var description: String {
    switch self {
    case .sizes(let what, let expected, let found): "\(what): expected \(expected), found \(found)"
    case .tooFew(let what, let needed, let found):
      "\(what): expected at least \(needed), found \(found)"
    case .tooMany(let what, let limit, let found):
      "\(what): expected at most \(limit), found \(found)"
    case .notFinite(let what): "\(what): expected finite numbers, found infinity or NaN"
    }
  }
}

/// - Throws: `ScoreError.sizes` if the vectors of two sets differ in length.
func checkDimensions(_ one: Features, _ other: Features) throws(ScoreError) {
  if one.dimensions != other.dimensions {
    throw .sizes("feature dimensions", expected: one.dimensions, found: other.dimensions)
  }
}
