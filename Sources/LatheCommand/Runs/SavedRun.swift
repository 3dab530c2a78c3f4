import LatheFiles
import LatheData
import Foundation
import SystemPackage
import LatheTraining

/// A trained model that a command was pointed at: a run's folder or one of its checkpoints.
struct SavedRun {
  let state: RunState
  let checkpoint: FilePath
  let loaded: LoadedModel
  let dataset: Dataset
  /// Whether the run kept a moving average of the parameters, and these are the others.
  let isRaw: Bool

  /// The newest intact checkpoint of a run, the one after `step` steps if given, or the checkpoint
  /// at `path` itself.
  ///
  /// With `best`, the one that was best on validation images; with `raw`, the parameters and not
  /// their moving average.
  init(_ path: String, step: Int?, best: Bool = false, raw: Bool = false) throws {
    let folder = FilePath(path)
    checkpoint = try failing { try SavedRun.checkpoint(in: folder, step: step, best: best) }
    let found = checkpoint
    state = try failing { try RunState(reading: found) }
    dataset = try SavedRun.dataset(of: state)
    let entry = try model(named: state.run.model.name)
    let (state, shape) = (state, dataset.shape)
    isRaw = raw && state.keepsAverage
    loaded = try failing {
      try LoadedModel(entry, checkpoint: found, state: state, images: shape, raw: raw)
    }
  }

  /// The data set with its pictures prepared as for training.
  private static func dataset(of state: RunState) throws -> Dataset {
    let entry = try LatheCommand.dataset(named: state.run.data.dataset)
    let images = state.run.data
    if entry.isArrays {
      guard let arrays = Dataset.arrays(of: images.shape ?? [], range: images.range ?? .unit) else {
        throw CommandFailure.data("\(RunState.fileName): expected the shape of arrays")
      }
      return arrays
    }
    guard entry.isPacked, let size = images.size else { return entry }
    let prepared = entry.prepared(
      as: Preparation(size: size, crop: images.crop, filter: images.filter ?? .bilinear))
    return prepared.skippingDamaged(images.skipCorrupt)
  }

  /// The images of a split, prepared as for training, from `data` if given, else from where the run
  /// had them.
  ///
  /// Training images that the run held back are its validation images, and no training images.
  func images(_ split: Split, at data: String?) throws -> ImageSet {
    let source: Split = split == .validation && heldBack > 0 ? .train : split
    let images = try load(source, at: data)
    guard source == .train else { return images }
    guard heldBack > 0 else { return try failing { try state.run.data.used(of: images) } }
    guard heldBack < images.count else {
      throw CommandFailure.data(
        "\(images.name): the run held back \(heldBack) training images, there are \(images.count)")
    }
    let choice = state.run.data.heldBack ?? .spread
    let parts = choice.divided(images, heldBack, seed: state.run.optimization.seed)
    guard split == .train else { return parts.validation }
    return try failing { try state.run.data.used(of: parts.train) }
  }

  private func load(_ split: Split, at data: String?) throws -> ImageSet {
    let recorded = data == nil && RunFolder(folder).isOwn ? recordedData : nil
    let isThere = recorded.map { FileManager.default.fileExists(atPath: $0) } ?? false
    let place = (data ?? (isThere ? recorded : nil)).map { FilePath($0) }
    let images = try failing {
      do throws(FileError) {
        if let place, ArrayImages.isNamed(place) { return try arrays(split, at: place) }
        return try dataset.load(split, at: place, seed: state.run.dataSeed)
      } catch {
        var error = error
        error.hint = data == nil ? hint(isThere, error) : error.hint
        throw error
      }
    }
    return try requiringShape(images, place)
  }

  /// Images of a split that a command is to take; without one, all of a file without parts, or the
  /// test images. With them what they are, in words.
  func images(asked split: Split?, at data: String?) throws -> (images: ImageSet, words: String) {
    let file = data.map { FilePath($0) }.flatMap { ArrayImages.isNamed($0) ? $0 : nil }
    let hasParts = try failing { try file.map { try ArrayImages($0).hasParts } }
    guard split == nil, let file, hasParts == false else {
      let split = split ?? .test
      return (try images(split, at: data), "\(split.rawValue) images")
    }
    let all = try failing { try arrays(nil, at: file) }
    return (try requiringShape(all, file), "images of \(file)")
  }

  /// Images of an array file; vectors may lie outside of the range that the run's have.
  private func arrays(_ split: Split?, at path: FilePath) throws(FileError) -> ImageSet {
    let (file, range) = (try ArrayImages(path), dataset.range ?? .unit)
    if file.isVectors, let (low, high) = try file.extremes(), low < range.low || high > range.high {
      note("\(path): values from \(low) to \(high), beyond the \(range) of the run")
    }
    return try file.images(split, range: range, isBounded: !file.isVectors)
  }

  private func requiringShape(_ images: ImageSet, _ place: FilePath?) throws -> ImageSet {
    guard images.shape == dataset.shape else {
      throw CommandFailure.data(
        "\(place?.string ?? images.name): expected images of \(dataset.shape), as the run was "
          + "trained on, found \(images.shape)")
    }
    let size = loaded.model.labelSize
    guard size == 0 || images.labelSize == size else {
      throw CommandFailure.data(
        "\(place?.string ?? images.name): expected images with labels of \(size) classes or "
          + "attributes, as the run was trained on, found \(images.labelSize)")
    }
    return images
  }

  /// - Throws: `CommandFailure` (64) for a model of vectors.
  func requirePictures() throws {
    guard dataset.isVectors else { return }
    throw CommandFailure.usage("vectors have no pictures: say --out NAME.npy or NAME.npz")
  }

  /// What to do about data that is not found where the run had it. What somebody else's run says of
  /// it is no reason to read there.
  private func hint(_ isThere: Bool, _ error: FileError) -> String? {
    guard let recorded = recordedData else { return error.hint }
    guard RunFolder(folder).isOwn else {
      return "The run is another user's: its data in \(recorded) is read only if --data says so"
    }
    guard !isThere else { return error.hint }
    return "The run had its data in \(recorded), where nothing is now. "
      + (error.hint ?? "Say with --data where it is")
  }

  /// Images of the training split that the run held back for validation.
  private var heldBack: Int { state.run.data.validation ?? 0 }

  /// What `--data` was for the run; nil if it was not given.
  private var recordedData: String? {
    let recipe = try? Recipe.read(folder.appending(Recipe.fileName).string)
    return recipe?.values["data"]?.text
  }

  /// What a figure shows, with the run it shows it of.
  func title(_ text: String) -> String {
    "\(state.run.model.name), \(state.run.data.dataset), step \(state.step): \(text)"
  }

  /// The name of a picture of this step, as training names its own: `samples-000500`.
  func pictureName(_ kind: String) -> String { kind + String(format: "-%06ld", state.step) }

  /// The run's folder.
  var folder: FilePath { checkpoint.removingLastComponent().removingLastComponent() }

  /// Where pictures go when nobody says otherwise: beside the checkpoints.
  var pictures: FilePath { folder.appending("samples") }

  private static func checkpoint(in folder: FilePath, step: Int?, best: Bool) throws -> FilePath {
    if FileManager.default.fileExists(atPath: folder.appending(RunState.fileName).string) {
      guard step == nil, !best else {
        throw CommandFailure.usage("--step, --best: for a run's folder, \(folder) is a checkpoint")
      }
      return folder
    }
    let store = try store(of: folder, best: best)
    if let step {
      let there = try store.steps()
      guard there.contains(step) else {
        let steps = there.map(String.init).joined(separator: ", ")
        throw CommandFailure.missing("\(folder): no checkpoint of step \(step), there are \(steps)")
      }
      return store.path(step: step)
    }
    guard let latest = try store.latest(reading: { try RunState(reading: $0) }) else {
      throw CommandFailure.missing("\(folder): no run and no checkpoint there")
    }
    for (path, error) in latest.skipped {
      writeError("lathe: passed over \(path): \(error)")
    }
    return latest.path
  }

  /// The checkpoints of a run's folder, or those in a folder of checkpoints, such as `RUN/best`.
  private static func store(of folder: FilePath, best: Bool) throws -> CheckpointStore {
    let own = CheckpointStore(reading: folder)
    if !best, try !own.steps().isEmpty { return own }
    let all = CheckpointStore(reading: folder.appending("checkpoints"))
    guard best else { return all }
    let bests = CheckpointStore(reading: folder.appending("best"))
    if try bests.steps().isEmpty, try !all.steps().isEmpty {
      throw CommandFailure.missing(
        "\(folder): no best checkpoint; the run was trained without --evaluate-every")
    }
    return bests
  }
}
