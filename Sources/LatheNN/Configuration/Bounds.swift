/// What values a setting may have.
public struct Bounds<Value>: Sendable {
  /// In words: `at least 1`.
  let text: String
  let holds: @Sendable (Value) -> Bool

  /// Bounds of one's own; `text` follows on what the type expects, as in "a whole number, TEXT".
  public init(_ text: String, _ holds: @escaping @Sendable (Value) -> Bool) {
    self.text = text
    self.holds = holds
  }

  /// The same for a value that may be left out, or for each element of a list.
  private func lifted<Outer>(
    _ values: @escaping @Sendable (Outer) -> [Value], as text: String? = nil
  ) -> Bounds<Outer> {
    Bounds<Outer>(text ?? self.text) { values($0).allSatisfy(self.holds) }
  }
}

extension Bounds where Value: Comparable & Sendable {
  public static func atLeast(_ minimum: Value) -> Bounds {
    Bounds("at least \(spelled(minimum))") { $0 >= minimum }
  }

  public static func moreThan(_ limit: Value) -> Bounds {
    Bounds("more than \(spelled(limit))") { $0 > limit }
  }

  public static func within(_ range: ClosedRange<Value>) -> Bounds {
    Bounds("\(spelled(range.lowerBound)) to \(spelled(range.upperBound))") { range.contains($0) }
  }

  public static func within(_ range: Range<Value>) -> Bounds {
    Bounds("at least \(spelled(range.lowerBound)) and less than \(spelled(range.upperBound))") {
      range.contains($0)
    }
  }
}

extension Bounds {
  /// The bounds of a value that may be left out.
  public static func optional<Wrapped>(_ bounds: Bounds<Wrapped>) -> Bounds
  where Value == Wrapped? {
    bounds.lifted { $0.map { [$0] } ?? [] }
  }

  /// The bounds of each element of a list.
  public static func each<Element>(_ bounds: Bounds<Element>) -> Bounds where Value == [Element] {
    bounds.lifted({ $0 }, as: "each \(bounds.text)")
  }

  /// The bounds of each element of a list that has one at least.
  public static func oneOrMore<Element>(_ bounds: Bounds<Element>) -> Bounds
  where Value == [Element] {
    Bounds("one or more, each \(bounds.text)") { !$0.isEmpty && $0.allSatisfy(bounds.holds) }
  }
}

extension Bounds<Int> {
  /// Of widths, dimensions and channels. Sizes of tensors stay far below 2⁶³; whether there is
  /// memory for them depends on the machine.
  public static func size(from minimum: Int = 1) -> Bounds { .within(minimum...1_000_000) }

  /// Of what is done so many times within one step.
  public static var repeats: Bounds { .within(1...10_000) }
}

/// A bound as a person writes it: 0, not 0.0.
private func spelled(_ bound: some Any) -> String {
  let text = "\(bound)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
