import Foundation
import LatheData
import LatheFiles
import LatheModels
import LatheNN
import LatheTraining
import SystemPackage

/// What `lathe train` was asked to do: flags over recipe over the resumed run over defaults.
struct RunSettings {
  let entry: ModelRegistry.Entry
  let dataset: Dataset
  /// Where the run is written; rank 0 chooses one that nobody has with ``makeFolder()``.
  private(set) var folder: FilePath
  private let hasNewFolder: Bool
  /// What is known before the images are.
  private let configuration: RunConfiguration
  /// The hyperparameters of the recipe alone, to tell whose mistake one is.
  private let recipe: RunOverlay
  private let recipePath: String?

  /// - Throws: `CommandFailure` for the first contradiction.
  init(_ command: Train, ranks: Int) throws {
    let flags = try RunSettings.flags(command).namingArrays()
    guard !command.runFlags.resume || flags.values["init-from"] == nil else {
      throw CommandFailure.usage("--init-from: for a new run, --resume goes on with the run's own")
    }
    recipePath = command.runFlags.recipe
    let named = try RunSettings.recipe(recipePath).namingArrays()
    let resumed = command.runFlags.resume ? try ResumedRun.find(command, flags.over(named)) : nil
    recipe = named.over(resumed?.settings ?? RunOverlay())
    var run = try failing { [recipe] in try flags.over(recipe).configuration() }
    entry = try model(named: RunSettings.required(run.model.name, "a model"))
    let set = try RunSettings.dataset(run.data)
    run.batch.slices = run.batch.slices ?? ranks
    // Absolute, so that commands on the run find it from another folder.
    run.data.place = run.data.place.map { URL(fileURLWithPath: $0).path }
    run.model.initialWeights = run.model.initialWeights.map { URL(fileURLWithPath: $0).path }
    configuration = run
    dataset = try RunSettings.prepared(set, run.data)
    let asked = resumed?.folder ?? command.runFlags.out.map { FilePath($0) }
    guard asked?.isEmpty != true else {
      throw CommandFailure.usage("--out: expected the name of a folder, found nothing")
    }
    folder = asked ?? FilePath("runs").appending("\(entry.name)-\(dataset.name)".asFileName)
    hasNewFolder = asked == nil
    do { try run.requireConsistent(ranks: ranks) } catch { throw CommandFailure.usage("\(error)") }
    try checkSampler(resolvedHyperparameters(of: run))
    try noteWhatChanged(flags)
  }

  /// The flags with the hyperparameters that `--set` and `--networks` give.
  private static func flags(_ command: Train) throws -> RunOverlay {
    var flags = try RunOverlay(flags: command)
    let networks = command.runFlags.networks.map { ["networks=\($0)"] } ?? []
    let members = try (command.runFlags.hyperparameters + networks).map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw CommandFailure.usage("--set \(setting): expected key=value")
      }
      let value = try? YAMLText(Array(parts[1].utf8)).value
      return (parts[0], value?.finite ?? .string(parts[1]))
    }
    if !members.isEmpty {
      flags.values["configuration"] = .object(Dictionary(members, uniquingKeysWith: { $1 }))
    }
    return flags
  }

  /// What a recipe gives. It may come from somebody else: it says no file to be overwritten.
  private static func recipe(_ path: String?) throws -> RunOverlay {
    guard let path else { return RunOverlay() }
    var recipe = try Recipe.read(path)
    if let timeline = recipe.values.removeValue(forKey: "timeline"), timeline != .null {
      note("\(path): timeline \(timeline.text) is left out; give --timeline")
    }
    return recipe
  }

  private static func required(_ name: String, _ what: String) throws -> String {
    guard name.isEmpty else { return name }
    throw CommandFailure.usage(
      "which \(what.dropFirst(2))? Give \(what), as in `lathe train flexae fashion-mnist`")
  }

  /// The data set of that name, or the arrays of a file.
  private static func dataset(_ settings: DataSettings) throws -> Dataset {
    let set = try LatheCommand.dataset(named: required(settings.dataset, "a data set"))
    guard set.isArrays else {
      guard settings.range == nil else {
        throw CommandFailure.usage("--range: for arrays only, \(set.name) has none")
      }
      return set
    }
    guard let place = settings.path else {
      throw CommandFailure.usage("\(set.name): \(set.instructions ?? "")")
    }
    return try arrays(at: place, range: settings.range)
  }

  /// The data set with its pictures prepared as asked for, or as its packed file says.
  private static func prepared(_ entry: Dataset, _ settings: DataSettings) throws -> Dataset {
    var asked = PictureOptions()
    (asked.crop, asked.size, asked.filter) = (settings.crop, settings.size, settings.filter)
    let prepared = try asked.applied(to: entry)
    guard entry.isPacked, let place = settings.path, PackedFile.isPacked(place) else {
      return prepared
    }
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

  /// Makes the run's folder: the one asked for, else the first of runs/MODEL-DATASET,
  /// runs/MODEL-DATASET-2 … that nobody has, also where several processes choose at once.
  mutating func makeFolder() throws {
    let base = folder.string
    guard hasNewFolder else {
      return try failing { [folder] in try FileSystem.makeFolders(folder) }
    }
    try failing { try FileSystem.makeFolders("runs") }
    for number in 2... {
      do throws(FileError) { return try FileSystem.makeFolder(folder) } catch {
        guard error.systemError == .fileExists else { throw CommandFailure(error) }
        folder = FilePath("\(base)-\(number)")
      }
    }
  }
}

// MARK: The model

extension RunSettings {
  /// Every hyperparameter, for a run of this length.
  private func resolvedHyperparameters(of run: RunConfiguration) throws -> JSONValue {
    func resolve(_ given: JSONValue?) throws -> JSONValue {
      guard case .object(let members)? = given else { return .null }
      return try entry.resolve(members, dataset.shape, run.optimization.steps)
    }
    do { return try resolve(run.model.configuration) } catch {
      let message = "\(entry.name): \(message(of: error))"
      let ofRecipe = recipe.values["configuration"]
      guard ofRecipe != nil, (try? resolve(ofRecipe)) == nil else {
        throw CommandFailure.usage(message)
      }
      let key = (error as? SettingError)?.name ?? "configuration"
      let place = recipePath.map { "\(Recipe.place(of: key, in: $0)): " } ?? ""
      throw CommandFailure.data(place + message)
    }
  }

  /// Says which hyperparameters have other names now, and whether the recipe's are left out.
  private func noteWhatChanged(_ flags: RunOverlay) throws {
    if case .object(let given) = configuration.model.configuration {
      try entry.renamings(in: given, images: dataset.shape).forEach(note)
    }
    if flags.hasOtherModel(than: recipe), recipe.values["configuration"] != nil {
      note("the recipe's hyperparameters are those of another model: left out")
    }
  }

  /// A sampler that every model can have, or the default one, needs no look at the model.
  private func checkSampler(_ hyperparameters: JSONValue) throws {
    guard let sampler = configuration.model.sampler, !entry.fittedSamplers.contains(sampler),
      sampler != entry.defaultSampler
    else { return }
    let store = ParameterStore(seed: 0)
    let model = try entry.make(store.root, dataset.shape, hyperparameters)
    do { _ = try model.sampler(named: sampler) } catch { throw CommandFailure.usage("\(error)") }
  }
}

// MARK: The images

extension RunSettings {
  /// The splits, from files or computed.
  ///
  /// Pictures are packed first, by all ranks together, if that has not been done.
  func loadImages() throws -> RunImages {
    var images = try loadSplits()
    images.train = try failing { try configuration.data.used(of: images.train) }
    return images
  }

  private func loadSplits() throws -> RunImages {
    let (data, seed) = (configuration.data, configuration.dataSeed)
    let cache = data.cache.map { FilePath($0) } ?? DatasetRegistry.cacheFolder
    let place = try dataset.packedPlace(
      data.path, cache: cache, skipsCorrupt: data.skipCorrupt, requiring: [.train, .test])
    if let place, place == data.path, dataset.isPacked, !dataset.has(.test, at: place) {
      note("\(place): no images for testing; those for validation are evaluated")
    }
    return try failing {
      let images = RunImages(
        train: try dataset.load(.train, at: place, seed: seed),
        test: try dataset.load(.test, at: place, seed: seed))
      guard configuration.evaluation.interval > 0 else { return images }
      if dataset.has(.validation, at: place) {
        if data.validation != nil { note("validation: left out, the data set has such images") }
        return images.with(validation: try dataset.load(.validation, at: place, seed: seed))
      }
      return try images.holdingBack(
        data.validation ?? min(10_000, images.train.count / 6), chosen: data.heldBack ?? .spread,
        seed: configuration.optimization.seed)
    }
  }

  /// How the run evaluates the model while it trains; nil if it does not.
  func evaluation(_ images: RunImages) throws -> EvaluationPlan? {
    let asked = configuration.evaluation
    guard asked.interval > 0, let validation = images.validation else {
      guard asked.bestBy == nil, asked.patience == nil else {
        throw CommandFailure.usage("--best-by, --patience: with --evaluate-every only")
      }
      guard configuration.updates.schedule != .plateau else {
        throw CommandFailure.usage("--schedule plateau: with --evaluate-every only")
      }
      return nil
    }
    let features = try FeatureChoice(asked).extractor(for: validation.shape)
    let settings = evaluationSettings
    return try failing {
      EvaluationPlan(
        interval: asked.interval, settings: settings, features: features, images: validation,
        training: images.train,
        leading: try LeadingScore(asked.bestBy, of: settings.metrics, features: features),
        patience: asked.patience,
        watched: try configuration.updates.plateau.score.map {
          try LeadingScore($0, of: settings.metrics, features: features, setting: "plateau-by")
        })
    }
  }

  /// What evaluations compute: with the schedule `plateau` what it watches, too.
  private var evaluationSettings: EvaluationSettings {
    let updates = configuration.updates
    var settings = configuration.evaluation.settings(seed: configuration.optimization.seed)
    if updates.schedule == .plateau, updates.plateau.score == nil {
      settings.metrics += [.loss, .error].filter { !settings.metrics.contains($0) }
    }
    return settings
  }

  /// The complete configuration of the run on these images.
  func resolved(_ images: RunImages) throws -> RunConfiguration {
    do {
      let run = try configuration.resolved(
        entry, dataset, train: images.train.count, heldBack: images.heldBack,
        labelSize: images.train.labelSize)
      let store = ParameterStore(seed: 0)
      _ = try entry.make(store.root, images.train.shape, run.model.configuration)
      try store.requireMemory()
      return run
    } catch { throw CommandFailure.usage("\(error)") }
  }
}

// MARK: The weights

extension RunSettings {
  /// What the run starts from in place of drawn parameters, compared with its model; on rank 0
  /// alone.
  func initialWeights(_ run: RunConfiguration, _ images: RunImages) throws -> InitialWeights? {
    guard let path = run.model.initialWeights, Launcher.isRoot else { return nil }
    let weights = try failing {
      let weights = try InitialWeights(FilePath(path))
      let store = ParameterStore(seed: 0)
      _ = try entry.make(store.root, images.train.shape, run.model.configuration)
      try weights.check(store)
      return weights
    }
    let types = weights.convertedTypes.joined(separator: ", ")
    note(
      "the run starts from \(weights.isAverage ? "the moving average in " : "")\(weights.place)"
        + (types.isEmpty ? "" : ", \(types) converted to float32"))
    return weights
  }
}

extension RunOverlay {
  /// A data set that is named by its array file is the data set `arrays` in that place.
  fileprivate func namingArrays() throws -> RunOverlay {
    guard let name = values["dataset"]?.text, isArrayFile(name) else { return self }
    if let place = values["data"], place != .null {
      throw CommandFailure.usage("--data \(place.text): the data set \(name) is a file already")
    }
    var overlay = self
    overlay.values["dataset"] = .string(Dataset.arrays.name)
    overlay.values["data"] = .string(name)
    return overlay
  }
}

extension DataSettings {
  /// Where the data set is, if that was said.
  fileprivate var path: FilePath? { place.map { FilePath($0) } }
}
