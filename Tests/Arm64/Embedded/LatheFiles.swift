/// What LatheKernels takes from LatheFiles, without messages.
public func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { fatalError() }
}

public func trap(_ message: @autoclosure () -> String) -> Never { fatalError() }
