import Foundation
import Synchronization

/// Work that a thread of its own does once.
final class BackgroundTask<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, any Error>?>(nil)
  private let ended = NSCondition()

  /// Starts the work.
  init(_ body: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread { [self] in
      let result = Result { try body() }
      ended.lock()
      outcome.withLock { $0 = result }
      ended.broadcast()
      ended.unlock()
    }
  }

  /// Whether there is a result.
  var hasEnded: Bool { outcome.withLock { $0 != nil } }

  /// What came of it, waited for.
  var result: Result<Value, any Error> {
    ended.lock()
    defer { ended.unlock() }
    while true {
      if let result = outcome.withLock({ $0 }) { return result }
      ended.wait()
    }
  }
}
