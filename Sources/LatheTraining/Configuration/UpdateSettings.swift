import LatheDistributed
import LatheNN

/// What is added to the updates of every phase, whose own optimizers the model declares.
public struct UpdateSettings: SettingGroup {
  @Setting(
    "Decay of a moving average of the parameters, once a step, such as 0.999; evaluations, samples "
      + "and figures use it. Left out, there is none.", called: "ema",
    bounds: .optional(Bounds("more than 0 and less than 1") { $0 > 0 && $0 < 1 }))
  public var averageDecay: Double?
  @Setting(
    "Largest norm of a phase's gradients, over all that it updates; left out, any.",
    bounds: .optional(.moreThan(0)))
  public var clipNorm: Float?
  @Setting(
    "Decoupled weight decay: parameters shrink by the learning rate times this at each update.",
    bounds: .atLeast(0))
  public var weightDecay: Float = 0
  @Setting(
    "What learning rates are multiplied by over the run, beside each phase's own schedule: "
      + "constant 1, cosine or linear to 0, step (0.1 from half on, 0.01 from three quarters on), "
      + "plateau (lower whenever evaluations get no better, with --evaluate-every).")
  public var schedule = RateFactor.Shape.constant
  @Setting("Steps over which learning rates grow to their values.", bounds: .atLeast(0))
  public var warmUp = 0
  @Setting(
    "Steps that the schedule is laid out for; left out, those of the run. A run that goes on "
      + "longer keeps its schedule.", bounds: .optional(.atLeast(1)))
  public var scheduleSteps: Int?
  public var plateau = PlateauSettings()
  @Setting(
    "What gradients are while they pass between hosts: float32, or bfloat16 with half the bytes, "
      + "and bits that depend on the number of hosts.")
  public var wire = Wire.float32

  public init() {}

  /// The same for the step runner.
  var options: UpdateOptions {
    var options = UpdateOptions()
    (options.averageDecay, options.clipNorm) = (averageDecay, clipNorm)
    (options.weightDecay, options.wire) = (weightDecay, wire)
    options.rateFactor = RateFactor(schedule, warmUp: warmUp, over: scheduleSteps ?? 0)
    return options
  }
}

extension RateFactor.Shape: SettingChoice {}
extension Wire: SettingChoice {}
