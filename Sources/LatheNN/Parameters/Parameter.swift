import LatheFiles
import LatheKernels
import LatheTensors

/// A trained tensor: a named part of the store's flat memory.
public final class Parameter {
  /// Path: `encoder.conv0.weight`.
  public let name: String
  /// Sizes of the axes.
  public let shape: Shape
  /// What its values must satisfy after every update.
  public let constraint: Constraint?
  let initializer: Initializer
  /// Where it lies in the store's parameters; known once they are laid out.
  public internal(set) var range: Range<Int> = 0..<0
  var current: Tensor?

  /// What an update must not break.
  public enum Constraint: Hashable, Sendable {
    /// Negative entries are set to zero after each update.
    case nonNegative
  }

  init(_ name: String, _ shape: Shape, _ initializer: Initializer, _ constraint: Constraint?) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.constraint = constraint
  }

  /// The values: a variable while its group is being differentiated, else a constant.
  public var value: Tensor {
    guard let current else {
      trap("\(name): read before the parameters are laid out")
    }
    return current
  }
}

/// A tensor that is saved with the parameters but not trained: a running mean, a power iteration's
/// vector.
///
/// It is updated with what the layers note during a phase: the mean over all slices (and over the
/// calls, when a layer is called more than once), applied when the phase is over. So it doesn't
/// depend on who computes a slice.
public final class Buffer {
  /// Path: `encoder.norm0.running_mean`.
  public let name: String
  /// Sizes of the axes.
  public let shape: Shape
  /// Share of the old value in an update: 0.99 for a slow average, 0 for the new value itself.
  public let momentum: Double
  let initializer: Initializer
  /// Where it lies in the store's buffers; known once they are laid out.
  public internal(set) var range: Range<Int> = 0..<0
  var current: Tensor?
  var statisticsUpdates: Storage?
  var statisticsUpdateCount = 0

  init(_ name: String, _ shape: Shape, _ initializer: Initializer, momentum: Double) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.momentum = momentum
  }

  /// The values, a constant.
  public var value: Tensor {
    guard let current else { trap("\(name): read before the buffers are laid out") }
    return current
  }

  /// Notes a value of this slice for the update at the end of the phase.
  ///
  /// Outside of a training phase nothing happens.
  public func noteUpdate(_ value: Tensor) {
    require(value.shape == shape, "\(name): update of \(value.shape), expected \(shape)")
    guard let statisticsUpdates else { return }
    statisticsUpdateCount += 1
    LatheKernels.accumulate(
      value.storage.pointer, into: statisticsUpdates.pointer, count: shape.count)
  }
}
