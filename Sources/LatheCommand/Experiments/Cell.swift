import Foundation
import LatheFiles
import LatheNN
import LatheTraining
import SystemPackage

/// One run of an experiment.
struct Cell {
  /// Its place in the grid: the value of each axis.
  let axes: [String: JSONValue]
  /// The settings of its training.
  let training: RunOverlay
  /// The settings of its evaluation.
  let evaluation: [String: JSONValue]
  /// Whether there is a recipe of its model and data set.
  let hasRecipe: Bool

  /// `flexae-mnist`, and its values on other axes: `flexae-mnist-latentSize=8`.
  var name: String {
    let others = axes.keys.sorted().filter { !["model", "dataset", "seed"].contains($0) }
    var parts = [text("model"), text("dataset")] + others.map { "\($0)=\(text($0))" }
    if let seed = axes["seed"], seed != .int(0) { parts.append("seed=\(seed.text)") }
    return parts.joined(separator: "-")
  }

  /// A name that runs of equal settings have in common, in whichever experiments.
  var runName: String {
    let digest = SHA256.digest(of: Array(((try? canonicalJSON(training.values)) ?? Data())))
    return "\(name)-\(SHA256.hexadecimal(digest).prefix(8))".asFileName
  }

  /// The value on an axis, or of the setting of that name.
  func text(_ axis: String) -> String { (axes[axis] ?? training.values[axis])?.text ?? "–" }

  /// Whether each of some axes has one of these values here.
  func isOne(of wanted: Experiment.Axes) -> Bool {
    wanted.allSatisfy { axis, values in values.contains { $0.text == text(axis) } }
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
    let shared = scale.layers(model: model, dataset: dataset)
    let layers = [experiment.settings] + (own?.layers(model: model, dataset: dataset) ?? [])
      + [Self.settings(of: axes)]
    for layer in shared { run = try overlay(layer, from: "the scale").over(run) }
    for layer in layers { run = try overlay(layer, from: "\(file)").over(run) }
    return Cell(axes: axes, run.withoutNulls, hasRecipe: hasRecipe)
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
    do { return RunOverlay(try list.accepting(list.ungrouped(settings))) } catch {
      throw CommandFailure.data("\(place): \(error)")
    }
  }
}

extension RunOverlay {
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
  /// How a model is evaluated is no part of its training, unless it is evaluated while it trains.
  fileprivate init(axes: [String: JSONValue], _ run: RunOverlay, hasRecipe: Bool) {
    self.axes = axes
    self.hasRecipe = hasRecipe
    evaluation = run.values.filter { Self.evaluationNames.contains($0.key) }
    let isEvaluated = (run.values["evaluate-every"]?.asDouble ?? 0) > 0
    training = isEvaluated
      ? run : RunOverlay(run.values.filter { !Self.evaluationNames.contains($0.key) })
  }

  /// The settings of `lathe evaluate`.
  static let evaluationNames: Set = [
    "metrics", "features", "samples", "dims", "resize", "minmax", "rounding",
  ]
}
