import LatheFiles
import Foundation
import LatheMetrics
import SystemPackage
import Testing

/// Values that `Golden/scores.py` wrote.
func golden(_ name: String) throws -> NumPyArchive {
  try NumPyArchive(goldenPath(name))
}

func goldenPath(_ name: String) -> FilePath {
  FilePath(#filePath).removingLastComponent().appending("Golden/\(name).npz")
}

extension NumPyArchive {
  func values(_ name: String) throws -> [Double] { try array(name).values }
  func number(_ name: String) throws -> Double { try #require(try values(name).first) }
  func floats(_ name: String) throws -> [Float] { try values(name).map { Float($0) } }

  /// A matrix, a row for each sample.
  func features(_ name: String) throws -> Features {
    let array = try array(name)
    return Features(array.values.map { Float($0) }, dimensions: array.shape[1])
  }
}

/// Expects numbers within `relative` times the largest expected magnitude.
func expectClose(
  _ values: [Double], _ expected: [Double], relative: Double,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let scale = expected.map(\.magnitude).max() ?? 0
  let worst = zip(values, expected).enumerated().map { ($0, $1.0, $1.1) }.max {
    abs($0.1 - $0.2) < abs($1.1 - $1.2)
  }
  let isClose =
    values.count == expected.count && values.allSatisfy(\.isFinite)
    && worst.map { abs($0.1 - $0.2) <= relative * scale } ?? true
  #expect(
    isClose,
    "\(values.count) of \(expected.count), worst \(String(describing: worst)), scale \(scale)",
    sourceLocation: sourceLocation)
}

/// Expects a number within `relative` times the expected one.
func expectClose(
  _ value: Double, _ expected: Double, relative: Double,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose([value], [expected], relative: relative, sourceLocation: sourceLocation)
}

/// Numbers that look random, on [0, 1), the same everywhere: multiples of 1/256.
func patterned(_ count: Int, _ dimensions: Int, _ shift: Int) -> Features {
  let values = (0..<count * dimensions).map { index in
    let (i, j) = index.quotientAndRemainder(dividingBy: dimensions)
    let mixed = (i * 7919 + j * 104_729 + i * j * 31 + shift) * 2_654_435_761 % (1 << 32)
    return Float(mixed >> 24) / 256
  }
  return Features(values, dimensions: dimensions)
}

struct SupportTests {
  @Test func aDifferenceIsFound() {
    withKnownIssue { expectClose([1, 2], [1, 2.1], relative: 1e-3) }
    withKnownIssue { expectClose([1], [1, 2], relative: 1) }
    withKnownIssue { expectClose(.nan, 1, relative: 1) }
  }
}
