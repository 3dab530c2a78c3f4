import LatheNN

/// What a run adds to the updates of all its phases.
public struct UpdateOptions: Sendable {
  /// The largest norm of a phase's gradients; nil for any. Larger ones are scaled down to it.
  public var clipNorm: Float?
  /// How much parameters shrink at each update, by the learning rate times this.
  public var weightDecay: Float = 0
  /// What learning rates are multiplied by.
  public var rateFactor = RateFactor()
  /// The decay of the moving average of the parameters; nil for none.
  public var averageDecay: Double?
  /// What gradients are while they pass between hosts.
  public var wire = Wire.float32

  public init() {}
}
