/// Traps with `message` when `condition` does not hold: a programmer's mistake, told in release builds too.
///
/// Concretely, Swift's `precondition` with its message kept by the optimiser.
public func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}
