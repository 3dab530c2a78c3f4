import LatheFiles
import LatheNN
import SystemPackage

/// The model that was best on validation images, in a folder of its own beside the checkpoints;
/// rank 0 only.
///
/// It has `model.safetensors` and `state.json`, enough for everything but going on with training;
/// the state says by which score, with which value, it was the best.
final class BestCheckpoint {
  private let run: RunConfiguration
  private let folder: FilePath
  private let store: ParameterStore
  private let average: MovingAverage?
  private let images: RunState.Images
  private let leading: LeadingScore
  private var best: (value: Double, step: Int)?
  /// The step of the best checkpoint so far.
  var step: Int? { best?.step }

  init(
    _ run: RunConfiguration, by leading: LeadingScore, in folder: FilePath, store: ParameterStore,
    images: RunState.Images, average: MovingAverage? = nil
  ) {
    (self.run, self.leading, self.images, self.average) = (run, leading, images, average)
    self.folder = folder.appending("best")
    self.store = store
  }

  /// Forgets what later steps brought, for a run that goes on after `step`; what is kept counts if
  /// it is older.
  func resume(after step: Int) {
    let found = try? CheckpointStore(reading: folder).latest { try RunState(reading: $0) }
    guard let found, found.step <= step, let kept = found.value.best, kept.score == leading.name
    else { return }
    best = (kept.value, found.step)
  }

  /// Keeps the model if its score is better than all before; false if not, or if the score was not
  /// measured. The best one itself, evaluated again, is there already.
  func offer(_ evaluation: Evaluation, step: Int) throws -> Bool {
    if best?.step == step { return true }
    guard let value = evaluation[leading.name], leading.isBetter(value, than: best?.value) else {
      return false
    }
    let checkpoints = try CheckpointStore(folder: folder, keep: 1)
    let older = try checkpoints.steps().filter { $0 > step }
    try checkpoints.write(step: step) { path in
      for (name, copy) in copies { try copy.write(to: path.appending(name)) }
      try state(step, value).write(into: path, digesting: files.map(\.name))
    }
    // A run that went back may have left a best of a later step.
    for step in older { try checkpoints.remove(step: step) }
    best = (value, step)
    return true
  }

  /// Copies of the files' tensors.
  var copies: [(name: String, copy: Snapshot)] {
    files.map { file in
      let copy = Snapshot(of: file.tensors)
      copy.take(file.tensors)
      return (file.name, copy)
    }
  }

  private var files: [(name: String, tensors: [NamedTensor])] {
    [(RunState.modelFile, store.savedTensors)]
      + (average.map { [(RunState.averageFile, $0.tensors)] } ?? [])
  }

  private func state(_ step: Int, _ value: Double) -> RunState {
    var state = run.state(step: step, trainedOn: images)
    state.best = RunState.Best(score: leading.name, value: value)
    return state
  }
}
