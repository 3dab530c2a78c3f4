import Synchronization

/// A record of the operations that run within it: which, of what, in order.
///
/// Everything that makes a tensor of tensors goes through one place, which tells the trace. What
/// does not go through it is seen as a constant; reading a tensor's numbers is noted, for what is
/// done with them is not seen. A trace keeps all tensors alive, so none is overwritten. Used by one
/// task.
public final class Trace: @unchecked Sendable {
  /// An operation that ran.
  public struct Step {
    public let operation: Operation
    public let inputs: [Tensor]
    public let output: Tensor
  }

  /// Random numbers that were drawn: standard normal, or uniform in [0, 1).
  public struct Draw {
    public let purpose: String
    public let isNormal: Bool
    public let values: Tensor
  }

  public private(set) var steps: [Step] = []
  public private(set) var draws: [Draw] = []
  /// Tensors whose numbers were read.
  public private(set) var reads: [Tensor] = []

  @TaskLocal private static var running: Trace?
  /// Traces that run in any task: without one, an operation looks no further.
  private static let count = Atomic<Int>(0)

  public init() {}

  /// Runs `body` and records its operations.
  public func record<Result>(_ body: () throws -> Result) rethrows -> Result {
    Trace.count.add(1, ordering: .relaxed)
    defer { Trace.count.subtract(1, ordering: .relaxed) }
    return try Trace.$running.withValue(self, operation: body)
  }

  /// The trace of this task, if there is one.
  static var current: Trace? { count.load(ordering: .relaxed) == 0 ? nil : running }

  /// Runs `body` unseen, and records its result as that of one operation.
  static func composite(
    _ operation: @autoclosure () -> Operation, of inputs: @autoclosure () -> [Tensor],
    _ body: () -> Tensor
  ) -> Tensor {
    guard let trace = current else { return body() }
    let output = $running.withValue(nil, operation: body)
    trace.note(operation(), inputs(), output)
    return output
  }

  func note(_ operation: Operation, _ inputs: [Tensor], _ output: Tensor) {
    let inputs = inputs.map(\.detached)
    steps.append(Step(operation: operation, inputs: inputs, output: output.detached))
  }

  func noteRead(_ tensor: Tensor) { reads.append(tensor.detached) }

  func noteDraw(_ purpose: String, isNormal: Bool, _ values: Tensor) {
    draws.append(Draw(purpose: purpose, isNormal: isNormal, values: values))
  }
}

/// Records several operations as one, see ``Operation``; nothing else changes.
package func asOneOperation(
  _ operation: @autoclosure () -> Operation, of inputs: @autoclosure () -> [Tensor],
  _ body: () -> Tensor
) -> Tensor {
  Trace.composite(operation(), of: inputs(), body)
}

extension Tensor {
  /// Which values these are, however often they are passed on: tensors of one identity are equal
  /// while one of them lives.
  public struct Identity: Hashable {
    private let storage: ObjectIdentifier
    private let shape: Shape

    fileprivate init(_ tensor: Tensor) {
      (storage, shape) = (ObjectIdentifier(tensor.storage), tensor.shape)
    }
  }

  public var identity: Identity { Identity(self) }
}
