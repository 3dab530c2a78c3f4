import LatheNN

/// When `schedule: plateau` lowers the learning rates; left out unless that is the schedule.
public struct PlateauSettings: SettingGroup {
  @Setting(
    "The score of --evaluate-every that --schedule plateau watches, such as loss or "
      + "reconstruction/ssim; left out, the loss on validation images, or reconstruction/error for "
      + "models without a loss of their own.", called: "plateau-by")
  public var score: String?
  @Setting(
    "What a plateau multiplies the learning rates by; left out, 0.1.", called: "plateau-factor",
    bounds: .optional(Bounds("more than 0 and less than 1") { $0 > 0 && $0 < 1 }))
  public var factor: Double?
  @Setting(
    "Evaluations in a row that may be no better; one more lowers the learning rates. Left out, 10.",
    called: "plateau-patience", bounds: .optional(.atLeast(0)))
  public var patience: Int?
  @Setting(
    "By how much an evaluation has to be better than the best one; left out, 0.0001.",
    called: "plateau-threshold", bounds: .optional(.atLeast(0)))
  public var threshold: Double?
  @Setting(
    "Whether that is a share of the best score or a difference; left out, relative.",
    called: "plateau-threshold-mode")
  public var thresholdMode: Plateau.Settings.ThresholdMode?
  @Setting(
    "The least share of their first values that learning rates are lowered to; left out, 0.",
    called: "plateau-minimum", bounds: .optional(.within(0...1)))
  public var minimum: Double?

  public init() {}

  /// The settings with what was left out filled in.
  var completed: PlateauSettings {
    let rule = rule(isHigherBetter: false)
    var all = self
    (all.factor, all.patience, all.minimum) = (rule.factor, rule.patience, rule.minimum)
    (all.threshold, all.thresholdMode) = (rule.threshold, rule.thresholdMode)
    return all
  }

  /// Whether something is said of a plateau.
  var isGiven: Bool {
    score != nil || factor != nil || patience != nil || threshold != nil || thresholdMode != nil
      || minimum != nil
  }

  /// The same for the schedule.
  func rule(isHigherBetter: Bool) -> Plateau.Settings {
    var rule = Plateau.Settings()
    rule.factor = factor ?? rule.factor
    rule.patience = patience ?? rule.patience
    rule.threshold = threshold ?? rule.threshold
    rule.thresholdMode = thresholdMode ?? rule.thresholdMode
    rule.minimum = minimum ?? rule.minimum
    rule.isHigherBetter = isHigherBetter
    return rule
  }
}

extension Plateau.Settings.ThresholdMode: SettingChoice {}
