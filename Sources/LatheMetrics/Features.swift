import LatheFiles
import LatheTensors

/// A feature vector for each sample.
public struct Features: Sendable, Equatable {
  /// Length of a vector.
  public let dimensions: Int
  /// Row-major, `[count, dimensions]`.
  public let values: [Float]

  /// Samples.
  public var count: Int { values.count / dimensions }

  /// Vectors one after another; `values` holds a whole number of them.
  public init(_ values: [Float] = [], dimensions: Int) {
    require(
      dimensions > 0 && values.count.isMultiple(of: dimensions),
      "Features: \(values.count) values are no whole number of vectors of \(dimensions)")
    self.values = values
    self.dimensions = dimensions
  }

  /// One sample's vector.
  public subscript(row: Int) -> ArraySlice<Float> {
    values[row * dimensions..<(row + 1) * dimensions]
  }

  /// Some samples, in the order given.
  public subscript(rows rows: some Collection<Int>) -> Features {
    var chosen: [Float] = []
    chosen.reserveCapacity(rows.count * dimensions)
    for row in rows { chosen += self[row] }
    return Features(chosen, dimensions: dimensions)
  }

  /// These samples, then `others`.
  public static func + (these: Features, others: Features) -> Features {
    require(
      these.dimensions == others.dimensions,
      "Features: \(these.dimensions) dimensions and \(others.dimensions)")
    return Features(these.values + others.values, dimensions: these.dimensions)
  }
}
