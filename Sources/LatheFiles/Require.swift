/// Stops the program with `message` when `condition` does not hold: a programmer's mistake.
///
/// Concretely, Swift's `precondition` whose message is printed in release builds too.
@inlinable @inline(__always)
public func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition { trap(message(), file: file, line: line) }
}

/// Stops the program with `message`, which is printed in release builds too.
public func trap(
  _ message: String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message, file: file, line: line)
}
