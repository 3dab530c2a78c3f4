import Foundation
import LatheFiles
import LatheNN
import LatheTraining
import SystemPackage

/// One run of an experiment.
struct Cell {
  /// Its place in the grid: the value of each axis.
  let axes: [String: JSONValue]
  /// What the names on axes stand for, by axis.
  let named: [String: [String: JSONValue]]
  /// The settings of its training.
  let training: RunOverlay
  /// The settings of its evaluation.
  let evaluation: [String: JSONValue]
  /// Whether there is a recipe of its model and data set.
  let hasRecipe: Bool

  /// `flexae-mnist`, and its values on other axes: `flexae-mnist-latentSize=8`.
  var name: String {
    let others = axes.keys.sorted().filter { !["model", "dataset", "seed"].contains($0) }
    var parts = ["model", "dataset"].map(text) + others.map(place)
    if let seed = axes["seed"], seed != .int(0) { parts.append("seed=\(seed.text)") }
    return parts.joined(separator: "-")
  }

  /// A name that runs of equal settings have in common, whichever axes of whichever experiments
  /// they are on: model, data set and a digest of the settings.
  var runName: String {
    let digest = SHA256.digest(of: Array(((try? canonicalJSON(training.values)) ?? Data())))
    let words = [text("model"), text("dataset"), "\(SHA256.hexadecimal(digest).prefix(8))"]
    return words.joined(separator: "-").asFileName
  }

  /// The value on an axis with the axis, unless it is a model or a data set.
  func place(_ axis: String) -> String {
    ["model", "dataset"].contains(axis) ? text(axis) : "\(axis)=\(text(axis))"
  }

  /// The value on an axis, or of the setting of that name.
  func text(_ axis: String) -> String { (axes[axis] ?? training.values[axis])?.text ?? "–" }

  /// Whether its data set has vectors and not images.
  var isOfVectors: Bool { Registered.datasets[text("dataset")]?.shape.height == 1 }

  /// Whether each of some axes has one of these values here.
  func isOne(of wanted: Experiment.Axes) -> Bool {
    wanted.allSatisfy { axis, values in values.contains { $0.text == text(axis) } }
  }
}

extension [Cell] {
  /// What the names on axes stand for, a line for each axis: `capacity: M1 is …; M2 is …`.
  var meanings: [String] {
    let axes = Set(flatMap(\.named.keys)).sorted()
    return axes.map { axis in
      let names = compactMap { cell in
        cell.named[axis].map { settings in
          let words = settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
          return "\(cell.text(axis)) is \(words.joined(separator: ", "))"
        }
      }
      return "\(axis): \(names.uniqued.joined(separator: "; "))"
    }
  }
}

extension NamedExperiment {
  /// The runs at a scale, in the order of the grid: the last axis varies fastest.
  ///
  /// - Throws: `CommandFailure` naming the cell and what is wrong with its settings.
  func cells(at scale: Scale, named scaleName: String, recipes: FilePath) throws -> [Cell] {
    try experiment.grid.flatMap(Self.combinations).map { axes in
      try cell(axes, scale, experiment.scales[scaleName], recipes)
    }
  }

  /// All combinations of the axes' values.
  private static func combinations(_ axes: Experiment.Axes) -> [[String: JSONValue]] {
    let order = ["dataset", "model"]
    let names = order.filter { axes[$0] != nil } + axes.keys.sorted().filter { !order.contains($0) }
    return names.reduce([[:]]) { combinations, name in
      combinations.flatMap { combination in
        axes[name]!.map { combination.merging([name: $0]) { $1 } }
      }
    }
  }

  private func cell(
    _ axes: [String: JSONValue], _ scale: Scale, _ own: Scale?, _ recipes: FilePath
  ) throws -> Cell {
    guard let model = axes["model"]?.text, let dataset = axes["dataset"]?.text else {
      throw CommandFailure.data("\(file): grid: expected the axes model and dataset")
    }
    do {
      _ = try LatheCommand.model(named: model)
      _ = try LatheCommand.dataset(named: dataset)
    } catch {
      throw CommandFailure.data("\(file): grid: \(error)")
    }
    let recipe = recipes.appending("\(model)-\(dataset).yml")
    let hasRecipe = FileSystem.isFile(recipe)
    var run = RunOverlay(["model": .string(model), "dataset": .string(dataset)])
    if scale.usesRecipes, hasRecipe { run = run.over(try Recipe.read(recipe.string)) }
    for layer in scale.layers(model: model, dataset: dataset) {
      run = try overlay(layer, from: "the scale").over(run)
    }
    let layers = [experiment.settings] + (own?.layers(model: model, dataset: dataset) ?? [])
    let given = try layers.map { try overlay($0, from: "\(file)") }
    for layer in given { run = layer.withoutEvaluation.over(run) }
    let named = try named(axes, [experiment.values, scale.values, own?.values ?? [:]])
    let plain = named.sorted { $0.key < $1.key }
      .reduce(axes.filter { named[$0.key] == nil }) { $0.merging($1.value) { $1 } }
    run = try overlay(Self.settings(of: plain), from: "\(file)").over(run)
    return Cell(axes: axes, named: named, run.withoutNulls, given, hasRecipe: hasRecipe)
  }

  /// What the names on axes stand for, by axis; the last list that has a name decides.
  private func named(
    _ axes: [String: JSONValue], _ lists: [Experiment.NamedValues]
  ) throws -> [String: [String: JSONValue]] {
    try axes.reduce(into: [:]) { found, axis in
      let values = lists.compactMap { $0[axis.key] }.reduce([:]) { $0.merging($1) { $1 } }
      guard !values.isEmpty else { return }
      guard let settings = values[axis.value.text] else {
        throw CommandFailure.data(
          "\(file): grid: \(axis.key): expected one of "
            + "\(values.keys.sorted().joined(separator: ", ")), found \(axis.value.text)")
      }
      found[axis.key] = settings
    }
  }

  /// Axes as settings: what is no setting of a run is a hyperparameter of its model.
  private static func settings(of axes: [String: JSONValue]) -> [String: JSONValue] {
    let list = RunConfiguration.list
    let hyperparameters = axes.filter { list[$0.key] == nil }
    return axes.filter { list[$0.key] != nil }
      .merging(hyperparameters.isEmpty ? [:] : ["configuration": .object(hyperparameters)]) { $1 }
  }

  private func overlay(
    _ settings: [String: JSONValue], from place: String
  ) throws -> RunOverlay {
    let list = RunConfiguration.list
    let given = list.ungrouped(settings)
    let nulls = given.filter { $0.value == .null }
    do {
      let values = try list.accepting(given.filter { $0.value != .null })
      return RunOverlay(values.merging(nulls) { $1 })
    } catch { throw CommandFailure.data("\(place): \(error)") }
  }
}

extension RunOverlay {
  /// Without the settings of `lathe evaluate`: how a run is evaluated is no part of its training.
  fileprivate var withoutEvaluation: RunOverlay {
    RunOverlay(values.filter { !Cell.evaluationNames.contains($0.key) })
  }

  /// Without the settings that a layer has set to null: they have their defaults again.
  fileprivate var withoutNulls: RunOverlay {
    RunOverlay(
      values.filter { $0.value != .null }.mapValues { value in
        guard case .object(let members) = value else { return value }
        return .object(members.filter { $0.value != .null })
      })
  }
}

extension Cell {
  /// A run that is evaluated while it trains has settings for that, from its recipe; the
  /// experiment's are those of the scores.
  fileprivate init(
    axes: [String: JSONValue], named: [String: [String: JSONValue]], _ run: RunOverlay,
    _ given: [RunOverlay], hasRecipe: Bool
  ) {
    (self.axes, self.named) = (axes, named)
    self.hasRecipe = hasRecipe
    let all = given.reduce(run) { $1.over($0) }.values
    evaluation = all.filter { Self.evaluationNames.contains($0.key) && $0.value != .null }
    let isEvaluated = (run.values["evaluate-every"]?.asDouble ?? 0) > 0
    training = isEvaluated ? run : run.withoutEvaluation
  }

  /// The settings of `lathe evaluate`.
  static let evaluationNames: Set = [
    "metrics", "features", "samples", "dims", "resize", "minmax", "rounding",
  ]
}
