import Glibc
import LatheFiles

/// Images or vectors in an array, one record each.
struct ArrayRecords: Sendable {
  let numbers: NumPyNumbers
  /// Numbers of a record.
  let size: Int
  /// What a float of the array means.
  let range: ValueRange

  var isLevels: Bool { numbers.element == .uint8 }
  var count: Int { numbers.shape.first ?? 0 }

  /// The bytes of a record as they are in the array.
  func withBytes<Result>(
    of record: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    numbers.withBytes(of: record * size..<(record + 1) * size, body)
  }

  /// Writes the floats of a record, as shares of the range.
  func copy(_ record: Int, to target: UnsafeMutablePointer<Float>) {
    require(!isLevels, "ArrayRecords: levels, floats expected")
    withBytes(of: record) { bytes in _ = memcpy(target, bytes.baseAddress!, bytes.count) }
    range.normalize(target, count: size)
  }

  /// The smallest and the largest float, in the array's own values; nil for levels.
  ///
  /// The first that is not finite is thrown with its place.
  func extremes() throws(NotFinite) -> (low: Float, high: Float)? {
    guard !isLevels else { return nil }
    var (low, high) = (Float.infinity, -Float.infinity)
    for record in 0..<count {
      let bad: Int? = withBytes(of: record) { bytes in
        for place in 0..<size {
          let value = bytes.loadUnaligned(fromByteOffset: 4 * place, as: Float.self)
          guard value.isFinite else { return place }
          (low, high) = (min(low, value), max(high, value))
        }
        return nil
      }
      if let bad { throw NotFinite(record: record, place: bad) }
    }
    return (low, high)
  }

  /// Where a number is not finite.
  struct NotFinite: Error {
    let record, place: Int
  }
}
