import ArgumentParser

/// - Throws: `ValidationError` if an option that was given has a value outside of its bounds.
func check<Value: Comparable>(
  _ option: String, _ value: Value?, in bounds: ClosedRange<Value>
) throws {
  guard let value, !bounds.contains(value) else { return }
  throw ValidationError(
    "\(option): expected \(bounds.lowerBound) to \(bounds.upperBound), found \(value)")
}

/// - Throws: `ValidationError` for a seed that no JSON or YAML file could hold.
func checkSeed(_ seed: UInt64) throws { try check("--seed", seed, in: 0...UInt64(Int64.max)) }

/// - Throws: `ValidationError` if an option that was given has a value below its minimum.
func check<Value: Comparable>(
  _ option: String, _ value: Value?, atLeast minimum: Value
) throws {
  guard let value, !(value >= minimum) else { return }
  throw ValidationError("\(option): expected at least \(minimum), found \(value)")
}
