import LatheFiles

/// Settings that were given, by name: on the command line, in a recipe, in the run that is resumed.
///
/// Overlays are laid over one another; what none of them gives has its default.
public struct RunOverlay: Sendable {
  public var values: [String: JSONValue]

  public init(_ values: [String: JSONValue] = [:]) { self.values = values }

  /// These settings, and another's where these say nothing.
  ///
  /// Members of a mapping count each for itself. Steps take the place of epochs and epochs that of
  /// steps. Another model takes over neither hyperparameters nor sampler.
  public func over(_ lower: RunOverlay) -> RunOverlay {
    var below = lower.values
    if values["steps"] != nil || values["epochs"] != nil {
      (below["steps"], below["epochs"]) = (nil, nil)
    }
    if hasOtherModel(than: lower) { (below["configuration"], below["sampler"]) = (nil, nil) }
    return RunOverlay(
      below.merging(values) { old, new in
        guard case .object(let inner) = new, case .object(let outer) = old else { return new }
        return .object(outer.merging(inner) { $1 })
      })
  }

  /// Whether both name a model, and not the same one; capitals do not count.
  public func hasOtherModel(than lower: RunOverlay) -> Bool {
    guard let model = values["model"], let other = lower.values["model"] else { return false }
    return model.text.lowercased() != other.text.lowercased()
  }

  /// The run's configuration with these settings in place of defaults.
  ///
  /// - Throws: `SettingError`.
  public func configuration() throws -> RunConfiguration {
    try RunConfiguration.list.configuration(with: values)
  }
}
