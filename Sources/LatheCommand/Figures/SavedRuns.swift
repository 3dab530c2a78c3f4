import ArgumentParser
import LatheData
import SystemPackage

/// The runs that a command shows in one figure.
struct RunsOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Folders of runs, or checkpoints of them; several are shown in one figure.",
      valueName: "run"),
    completion: .runs)
  var folders: [String]

  @OptionGroup var checkpoint: CheckpointOptions

  var data: String? { checkpoint.data }
  var threads: Int { checkpoint.threads }

  /// The runs, with the models of the checkpoints that were asked for.
  func runs() throws -> SavedRuns { SavedRuns(try folders.map { try checkpoint.run($0) }) }
}

/// Trained models that are shown in one figure.
struct SavedRuns {
  let all: [SavedRun]
  /// What tells them apart: the model and, where that is not enough, its settings or its step.
  let names: [String]

  init(_ all: [SavedRun]) {
    self.all = all
    names = all.map { run in
      let alike = all.filter { $0.state.run.model.name == run.state.run.model.name }
      return ([run.state.run.model.name] + Self.distinction(of: run, among: alike))
        .joined(separator: " ")
    }
  }

  /// The settings in which a run differs from others of its model; its step, if there are none.
  private static func distinction(of run: SavedRun, among alike: [SavedRun]) -> [String] {
    guard alike.count > 1 else { return [] }
    let differences = alike.compactMap { RunSummary($0.folder) }.differences
    guard !differences.isEmpty, let summary = RunSummary(run.folder) else {
      return ["step \(run.state.step)"]
    }
    return differences.map { "\($0)=\(summary.text($0))" }
  }

  /// The run, if there is no other.
  var single: SavedRun? { all.count == 1 ? all[0] : nil }

  /// What a figure shows, with the run or the data set that it shows it of.
  func title(_ text: String) -> String {
    single?.title(text) ?? "\(all[0].state.run.data.dataset): \(text)"
  }

  /// The name of a picture: of one run as training names its own.
  func pictureName(_ kind: String) -> String { single?.pictureName(kind) ?? kind }

  /// Where pictures go when nobody says otherwise: into the run's folder, of several here.
  var pictures: FilePath { single?.pictures ?? "." }

  /// The images that a command is to take, as each run was trained on them, and what they are in
  /// words. Pictures that runs crop in another way are still the same pictures.
  ///
  /// - Throws: `CommandFailure` (65) naming a run that has others.
  func images(asked split: Split?, at data: String?) throws -> (sets: [ImageSet], words: String) {
    let found = try all.map { try $0.images(asked: split, at: data) }
    let sets = found.map(\.images)
    for (run, images) in zip(all, sets) where !images.isAlike(sets[0]) {
      throw CommandFailure.data(
        "\(run.folder): expected images as those of \(all[0].folder), \(sets[0].inWords), found "
          + images.inWords)
    }
    return (sets, found[0].words)
  }
}

extension ImageSet {
  /// Whether these are the same images, but for their preparation.
  fileprivate func isAlike(_ other: ImageSet) -> Bool {
    name == other.name && count == other.count && shape == other.shape && labels == other.labels
  }

  fileprivate var inWords: String { "\(count) of \(name), \(shape)" }
}
