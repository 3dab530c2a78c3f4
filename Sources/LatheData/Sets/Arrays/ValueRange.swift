/// The values of an array that stand for 0 and 1.
///
/// A model sees (v − low) / (high − low); what it makes becomes low + u · (high − low) again.
public struct ValueRange: Hashable, Sendable {
  public let low, high: Float

  /// nil unless both are finite and the first is the smaller one, with a finite difference.
  public init?(_ low: Float, _ high: Float) {
    guard low.isFinite, high.isFinite, low < high, (high - low).isFinite else { return nil }
    (self.low, self.high) = (low, high)
  }

  /// From 0 to 1: values as they are.
  public static let unit = ValueRange(0, 1)!

  /// Changes values of the range to those from 0 to 1.
  func normalize(_ values: UnsafeMutablePointer<Float>, count: Int) {
    guard self != .unit else { return }
    for place in 0..<count { values[place] = (values[place] - low) / (high - low) }
  }

  /// Values from 0 to 1 as those of the range.
  public func values(of shares: [Float]) -> [Float] {
    self == .unit ? shares : shares.map { low + $0 * (high - low) }
  }
}

extension ValueRange: CustomStringConvertible {
  /// `[0, 1]`.
  public var description: String {
    func text(_ value: Float) -> String {
      let text = "\(value)"
      return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
    return "[\(text(low)), \(text(high))]"
  }
}

extension ValueRange: Codable {
  /// As a list of two numbers.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bounds = try container.decode([Float].self)
    guard bounds.count == 2, let range = ValueRange(bounds[0], bounds[1]) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected two numbers, the smaller first, found \(bounds)")
    }
    self = range
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode([low, high])
  }
}
