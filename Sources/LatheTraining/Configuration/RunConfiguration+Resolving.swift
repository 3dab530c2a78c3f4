import LatheData
import LatheFiles
import LatheModels
import LatheNN

// What is left out is filled in once the images and the model are known.
extension RunConfiguration {
  /// Parts of a global batch; one where it is left open.
  public var slices: Int { batch.slices ?? 1 }
  /// Where the images that previews show come from.
  public var sampler: Sampler.Name { model.sampler ?? .prior }

  /// The configuration with the slices and the sampler that it has left out.
  func completed(for network: LoadedModel) -> RunConfiguration {
    var run = self
    run.batch.slices = slices
    run.model.sampler = model.sampler ?? type(of: network.model).defaultSampler
    return run
  }

  /// The configuration with the model's sampler and hyperparameters, the steps, and what is said of
  /// the images: what was left out is filled in.
  ///
  /// `heldBack` of the training images have been taken for validation; `train` are the others.
  /// `labelSize` is that of their labels.
  ///
  /// - Throws: `SettingError` if a setting is out of bounds for these images, `ConfigurationError`
  ///   if the model cannot be built so.
  public func resolved(
    _ entry: ModelRegistry.Entry, _ dataset: Dataset, train: Int, heldBack: Int, labelSize: Int = 0
  ) throws -> RunConfiguration {
    guard batch.size <= train else {
      throw SettingError(
        name: "batch", expected: "at most the \(train) training images", found: "\(batch.size)")
    }
    try data.requirePadding(fits: dataset.shape)
    var run = self
    run.model.name = entry.name
    run.model.sampler = model.sampler ?? entry.defaultSampler
    run.data.dataset = dataset.name
    run.data.padding = data.padCrop == nil ? nil : data.padding ?? .zero
    run.data.crop = dataset.preparation?.crop
    run.data.size = dataset.preparation?.size
    run.data.filter = dataset.preparation?.filter
    (run.data.shape, run.data.range) = (dataset.arrayShape, dataset.range)
    run.data.validation = heldBack > 0 ? heldBack : nil
    run.data.heldBack = heldBack > 0 ? data.heldBack ?? .spread : nil
    run.optimization.steps = try epochs(of: train) ?? optimization.steps
    run.optimization.epochs = nil
    run.updates = try updates.completed(steps: run.optimization.steps)
    run.model.configuration = try entry.resolve(
      try hyperparameters(labelSize), dataset.shape, run.optimization.steps)
    return run
  }

  /// The hyperparameters that were given, with the size of the images' labels.
  private func hyperparameters(_ labelSize: Int) throws(SettingError) -> [String: JSONValue] {
    var members = model.configuration.members
    let own = JSONValue.int(model.conditional ? labelSize : 0)
    guard members["labelSize"] ?? own == own else {
      throw SettingError(
        name: "labelSize", expected: "\(own.text), which --conditional decides",
        found: members["labelSize"]!.text)
    }
    guard model.conditional else { return members }
    guard labelSize > 1 else {
      throw SettingError(
        name: "conditional", expected: "images of several classes, or with attributes",
        found: "images of \(data.dataset)")
    }
    members["labelSize"] = own
    return members
  }

  /// Whether a score of the evaluations decides on the learning rates.
  var watchesScores: Bool { updates.schedule == .plateau }

  /// The steps that the passes asked for take: whole batches only.
  private func epochs(of images: Int) throws(SettingError) -> Int? {
    guard let epochs = optimization.epochs else { return nil }
    let (steps, isTooMany) = epochs.multipliedReportingOverflow(by: images / batch.size)
    guard !isTooMany else {
      throw SettingError(
        name: "epochs", expected: "at most \(Int.max / (images / batch.size))", found: "\(epochs)")
    }
    return steps
  }

  /// - Throws: `SettingError` where settings contradict each other.
  public func requireConsistent(ranks: Int) throws(SettingError) {
    guard batch.size % slices == 0 else {
      throw SettingError(
        name: "batch", expected: "a multiple of the \(slices) slices",
        found: "\(batch.size): choose batch \(max(1, batch.size / slices) * slices) or other slices"
      )
    }
    guard slices % ranks == 0 else {
      throw SettingError(
        name: "slices", expected: "a multiple of the \(ranks) ranks",
        found: "\(slices): a run goes on with its slices on any number of ranks that divides them")
    }
    guard batch.size / slices >= 2 || batch.statistics == .global else {
      throw SettingError(
        name: "batch", expected: "at least 2 images a slice",
        found: "\(batch.size) in \(slices) slices")
    }
  }
}

extension DataSettings {
  /// - Throws: `SettingError` for padding that images of this shape cannot have.
  fileprivate func requirePadding(fits images: ImageShape) throws(SettingError) {
    guard let padCrop else {
      guard let padding else { return }
      throw SettingError(
        name: "padding", expected: "pad-crop with it", found: padding.rawValue)
    }
    let side = min(images.height, images.width)
    guard padCrop < side else {
      throw SettingError(
        name: "pad-crop", expected: "less than the \(side) pixels of the images",
        found: "\(padCrop)")
    }
  }
}

extension UpdateSettings {
  /// The settings with the schedule's own filled in.
  ///
  /// - Throws: `SettingError` for settings of another schedule.
  fileprivate func completed(steps: Int) throws(SettingError) -> UpdateSettings {
    var all = self
    switch schedule {
    case .constant: break
    case .cosine, .linear, .step: all.scheduleSteps = scheduleSteps ?? steps
    case .plateau: all.plateau = plateau.completed
    }
    guard schedule == .plateau || !plateau.isGiven else {
      throw SettingError(
        name: "plateau-…", expected: "schedule plateau with these settings",
        found: "schedule \(schedule.rawValue)")
    }
    return all
  }
}

extension JSONValue {
  /// An object's members; none for another value.
  fileprivate var members: [String: JSONValue] {
    guard case .object(let members) = self else { return [:] }
    return members
  }
}

extension BatchLoader {
  /// The training images of a run in its order.
  init(_ run: RunConfiguration, images: ImageSet) {
    let order = Order(
      count: images.count, batch: run.batch.size, seed: run.optimization.seed,
      replacement: run.data.sampling == .replacement)
    self.init(
      images: images, order: order, slices: run.slices,
      augmentation: Augmentation(
        flips: run.data.flip, padding: run.data.padCrop ?? 0,
        paddingMode: run.data.padding ?? .zero))
  }
}
