import LatheDistributed
import LatheFiles
import LatheData
import Foundation
import LatheNN
import LatheModels
import SystemPackage
import LatheTraining

/// What `lathe train` was asked to do: flags over recipe over defaults, checked.
struct TrainSettings {
  let entry: ModelRegistry.Entry
  let dataset: Dataset
  let data: FilePath?
  let cache: FilePath
  let folder: FilePath
  let threads: Int
  private let merged: Recipe
  /// Hyperparameters that were asked for; what is left out depends on the steps of the run.
  private let given: [String: JSONValue]
  /// The model's configuration as a resumed run's checkpoint spells it.
  private let checkpointed: JSONValue?
  private let batch, slices: Int
  private let seed: UInt64

  /// - Throws: `CommandFailure` for the first contradiction.
  init(_ command: Train, ranks: Int) throws {
    let named = try command.recipe.map { try Recipe(reading: $0) } ?? Recipe()
    let run = command.resume ? try ResumedRun(command, named) : nil
    let recipe = try run.map { try named.over($0.recipe) } ?? named
    merged = try TrainSettings.merge(command, recipe)
    entry = try model(named: try TrainSettings.required(merged.model, "a model"))
    let set = try LatheCommand.dataset(
      named: try TrainSettings.required(merged.dataset, "a data set"))
    data = merged.data.map { FilePath($0) }
    dataset = try TrainSettings.prepared(set, at: data, merged)
    cache = command.pictures.cacheFolder
    folder = run?.folder ?? TrainSettings.folder(command, entry.name, dataset.name)
    checkpointed = run?.modelConfiguration
    threads = merged.threads ?? 1
    batch = merged.batch ?? 128
    slices = merged.slices ?? ranks
    seed = merged.seed ?? 0
    given = try givenHyperparameters(
      merged.configuration,
      settings: command.settings + (command.networks.map { ["networks=\($0)"] } ?? []))
    try checkNumbers(ranks: ranks)
    try checkSampler(configuration(steps: merged.steps ?? 1000))
  }

  private static func merge(_ flags: Train, _ recipe: Recipe) throws -> Recipe {
    guard flags.steps == nil || flags.epochs == nil else {
      throw CommandFailure.usage("--steps and --epochs: give one of them")
    }
    var merged = recipe
    if flags.steps != nil || flags.epochs != nil {
      (merged.steps, merged.epochs) = (flags.steps, flags.epochs)
    }
    guard merged.steps == nil || merged.epochs == nil else {
      throw CommandFailure.data("\(flags.recipe ?? "recipe"): steps and epochs: give one of them")
    }
    merged.model = flags.model ?? recipe.model
    merged.dataset = flags.dataset ?? recipe.dataset
    // Absolute, so that commands on the run find it from another folder.
    merged.data = (flags.data ?? recipe.data).map { URL(fileURLWithPath: $0).path }
    merged.batch = flags.batch ?? recipe.batch
    merged.slices = flags.slices ?? recipe.slices
    merged.seed = flags.seed ?? recipe.seed
    merged.threads = flags.threads ?? recipe.threads
    merged.sampling = flags.sampling ?? recipe.sampling
    merged.precision = flags.precision ?? recipe.precision
    merged.overlap = flags.overlap ?? recipe.overlap
    merged.sampler = flags.sampler ?? recipe.sampler
    merged.batchStatistics = flags.batchStatistics ?? recipe.batchStatistics
    merged.crop = flags.pictures.crop ?? recipe.crop
    merged.size = flags.pictures.size ?? recipe.size
    merged.filter = flags.pictures.filter ?? recipe.filter
    merged.flip = flags.flip ?? recipe.flip
    merged.checkpointEvery = flags.checkpointEvery ?? recipe.checkpointEvery
    merged.sampleEvery = flags.sampleEvery ?? recipe.sampleEvery
    merged.logEvery = flags.logEvery ?? recipe.logEvery
    merged.evaluateEvery = flags.evaluateEvery ?? recipe.evaluateEvery
    merged.validation = flags.validation ?? recipe.validation
    merged.evaluation = flags.scores.over(recipe.evaluation)
    if let model = flags.model, recipe.model != nil, model != recipe.model {
      merged.configuration = nil
      merged.sampler = flags.sampler
    }
    return merged
  }

  /// The data set with its pictures prepared as asked for, or as its packed file says.
  private static func prepared(
    _ entry: Dataset, at place: FilePath?, _ settings: Recipe
  ) throws -> Dataset {
    var asked = PictureOptions()
    (asked.crop, asked.size, asked.filter) = (settings.crop, settings.size, settings.filter)
    try asked.validate()
    let prepared = try asked.applied(to: entry)
    guard entry.isPacked, let place, PackedFile.isPacked(place) else { return prepared }
    let file = try failing { try PackedFile(place) }
    guard file.dataset == entry.name else {
      throw CommandFailure.data("\(place): expected images of \(entry.name), found \(file.dataset)")
    }
    let packed = entry.prepared(as: file.preparation)
    guard try asked.applied(to: packed).preparation == file.preparation else {
      throw CommandFailure.usage(
        "--crop, --size, --filter: \(place) was packed with others: \(file.preparation)")
    }
    return packed
  }

  private static func required(_ name: String?, _ what: String) throws -> String {
    guard let name else {
      throw CommandFailure.usage(
        "which \(what.dropFirst(2))? Give \(what), as in `lathe train flexae fashion-mnist`")
    }
    return name
  }

  /// The folder asked for; else the first free one of runs/MODEL-DATASET, runs/MODEL-DATASET-2 …
  private static func folder(_ command: Train, _ model: String, _ dataset: String) -> FilePath {
    if let out = command.out { return FilePath(out) }
    let base = "runs/\(model)-\(dataset)"
    var (name, number) = (base, 1)
    while FileManager.default.fileExists(atPath: name) {
      number += 1
      name = "\(base)-\(number)"
    }
    return FilePath(name)
  }

  private static func steps(_ settings: Recipe, perEpoch: Int) -> Int {
    settings.steps ?? settings.epochs.map { $0 * perEpoch } ?? 1000
  }

  /// Every hyperparameter, for a run of so many steps.
  private func configuration(steps: Int) throws -> JSONValue {
    do {
      return try entry.resolve(given, dataset.shape, steps)
    } catch {
      let message = "\(entry.name): \(explain(error))"
      let recipe = try givenHyperparameters(merged.configuration, settings: [])
      let isOfRecipe =
        !recipe.isEmpty && (try? entry.resolve(recipe, dataset.shape, steps)) == nil
      throw isOfRecipe ? CommandFailure.data(message) : CommandFailure.usage(message)
    }
  }

  /// A sampler that every model can have, or the usual one, needs no look at the model.
  private func checkSampler(_ configuration: JSONValue) throws {
    guard let sampler = merged.sampler, !entry.fittedSamplers.contains(sampler),
      sampler != entry.defaultSampler
    else { return }
    let store = ParameterStore(seed: 0)
    let model = try entry.make(store.root, dataset.shape, configuration)
    do { _ = try model.sampler(named: sampler) } catch { throw CommandFailure.usage("\(error)") }
  }

  private func checkNumbers(ranks: Int) throws {
    let positive = [
      ("steps", merged.steps ?? 1), ("epochs", merged.epochs ?? 1), ("batch", batch),
      ("slices", slices),
      ("threads", threads), ("log-every", merged.logEvery ?? 1),
      ("checkpoint-every", (merged.checkpointEvery ?? 0) + 1),
      ("sample-every", (merged.sampleEvery ?? 0) + 1),
      ("evaluate-every", (merged.evaluateEvery ?? 0) + 1), ("validation", merged.validation ?? 1),
    ]
    if let wrong = positive.first(where: { $0.1 < 1 }) {
      throw CommandFailure.usage("\(wrong.0): expected a positive number, found \(wrong.1)")
    }
    guard batch % slices == 0 else {
      throw CommandFailure.usage(
        "batch: expected a multiple of the \(slices) slices, found \(batch): choose --batch "
          + "\(max(1, batch / slices) * slices) or other --slices")
    }
    guard slices % ranks == 0 else {
      throw CommandFailure.usage(
        "slices: expected a multiple of the \(ranks) ranks, found \(slices): "
          + "a run goes on with its slices on any number of ranks that divides them")
    }
    guard merged.overlap != .on || merged.batchStatistics != .global else {
      throw CommandFailure.usage(
        "overlap: expected auto or off with batch-statistics global, whose slices meet on their way, found on"
      )
    }
    guard batch / slices >= 2 || merged.batchStatistics == .global else {
      throw CommandFailure.usage(
        "batch: expected at least 2 images a slice, found \(batch) in \(slices) slices")
    }
  }

  /// The splits, from files or computed.
  ///
  /// Pictures are packed first, by all ranks together, if that has not been done.
  func loadImages() throws -> RunImages {
    let place = try dataset.packedPlace(data, cache: cache)
    return try failing {
      let images = RunImages(
        train: try dataset.load(.train, at: place, seed: seed),
        test: try dataset.load(.test, at: place, seed: seed))
      guard isEvaluated else { return images }
      if dataset.count(of: .validation) > 0 {
        return images.with(validation: try dataset.load(.validation, at: place, seed: seed))
      }
      return try images.holdingBack(merged.validation ?? min(10_000, images.train.count / 6))
    }
  }

  /// Whether the run evaluates the model on validation images.
  private var isEvaluated: Bool { merged.evaluateEvery ?? 0 > 0 }

  /// How the run evaluates the model: every how many steps, what, and with which features; nil if
  /// it does not.
  func evaluation(_ images: RunImages) throws -> EvaluationPlan? {
    guard isEvaluated, let validation = images.validation, let recipe = merged.evaluation else {
      return nil
    }
    let settings = try recipe.settings(seed: seed)
    let features = try recipe.choice().extractor(for: validation.shape)
    return EvaluationPlan(
      interval: merged.evaluateEvery!, settings: settings, features: features, images: validation)
  }

  /// The plan for these images.
  func plan(_ images: RunImages) throws -> TrainingPlan {
    let trainingImages = images.train.count
    guard batch <= trainingImages else {
      throw CommandFailure.usage(
        "batch: expected at most the \(trainingImages) training images, found \(batch)")
    }
    let steps = TrainSettings.steps(merged, perEpoch: trainingImages / batch)
    var plan = TrainingPlan(
      model: entry.name, configuration: try configuration(steps: steps), dataset: dataset.name,
      replacement: merged.sampling == .replacement,
      steps: steps, batch: batch,
      slices: slices,
      seed: seed, precision: merged.precision ?? .float32, folder: folder,
      checkpointEvery: merged.checkpointEvery ?? 500,
      previewEvery: merged.sampleEvery ?? 500, logEvery: merged.logEvery ?? 10)
    plan.batchStatistics = merged.batchStatistics ?? .slice
    plan.overlap = merged.overlap ?? .auto
    plan.sampler = merged.sampler ?? entry.defaultSampler
    plan.preparation = dataset.preparation
    plan.flips = merged.flip ?? false
    plan.validationImages = images.heldBack
    plan.evaluateEvery = merged.evaluateEvery ?? 0
    if case .object(let members) = checkpointed,
      (try? entry.resolve(members, dataset.shape, steps)) == plan.configuration
    {
      plan.equivalentConfiguration = checkpointed
    }
    return plan
  }

  /// Everything resolved, as the run's `config.yml`.
  func resolved(_ plan: TrainingPlan) -> Recipe {
    var recipe = merged
    (recipe.model, recipe.dataset) = (entry.name, dataset.name)
    (recipe.steps, recipe.epochs) = (plan.steps, nil)
    (recipe.batch, recipe.slices, recipe.seed, recipe.threads) = (batch, slices, seed, threads)
    recipe.precision = plan.precision
    recipe.overlap = plan.overlap
    recipe.sampler = plan.sampler
    recipe.batchStatistics = plan.batchStatistics
    recipe.sampling = plan.replacement ? .replacement : .shuffle
    recipe.crop = dataset.preparation?.crop
    recipe.size = dataset.preparation?.size
    recipe.filter = dataset.preparation?.filter
    recipe.flip = plan.flips ? true : nil
    recipe.checkpointEvery = plan.checkpointEvery
    recipe.sampleEvery = plan.previewEvery
    recipe.logEvery = plan.logEvery
    recipe.configuration = plan.configuration
    recipe.validation = plan.validationImages > 0 ? plan.validationImages : nil
    recipe.evaluation = isEvaluated ? merged.evaluation : nil
    return recipe
  }
}
