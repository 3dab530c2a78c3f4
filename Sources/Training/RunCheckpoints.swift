import Checkpoints
import Layers
import Optimizers
import SystemPackage
import Tensors

/// The checkpoints of one run: what the trainer saves and how it finds its way back. Used on rank 0 only.
final class RunCheckpoints {
  private let plan: TrainingPlan
  private let store: ParameterStore
  private let optimizers: [(phase: String, optimizer: Optimizer)]
  private(set) var lastSaved: FilePath?

  init(
    plan: TrainingPlan, store: ParameterStore, optimizers: [(phase: String, optimizer: Optimizer)]
  ) {
    self.plan = plan
    self.store = store
    self.optimizers = optimizers
  }

  private var folder: FilePath { plan.folder.appending("checkpoints") }

  /// Makes the folder and clears up after an earlier crash.
  func prepare() throws { _ = try CheckpointStore(folder: folder, keep: plan.checkpointsKept) }

  /// Writes a checkpoint; returns its path.
  func save(step: Int) throws -> FilePath {
    let checkpoints = try CheckpointStore(folder: folder, keep: plan.checkpointsKept)
    try checkpoints.write(step: step) { path in
      try write(store.savedTensors, to: path.appending("model.safetensors"))
      try write(optimizerTensors, to: path.appending("optimizer.safetensors"))
      try plan.state(step: step).write(into: path)
    }
    lastSaved = checkpoints.path(step: step)
    return checkpoints.path(step: step)
  }

  /// Loads the newest intact checkpoint of this run; returns its step.
  func load(onSkip: (FilePath, CheckpointError) -> Void) throws -> Int {
    let found = try CheckpointStore(reading: folder).latest { _ = try RunState(reading: $0) }
    guard let found else { throw TrainingError.nothingToResume(folder) }
    for (path, error) in found.skipped { onSkip(path, error) }
    let state = try RunState(reading: found.path)
    if let difference = plan.difference(from: state) {
      throw TrainingError.otherRun(
        found.path, field: difference.field, expected: difference.expected, found: difference.found)
    }
    try read(store.savedTensors, from: found.path.appending("model.safetensors"))
    try read(optimizerTensors, from: found.path.appending("optimizer.safetensors"))
    lastSaved = found.path
    return found.step
  }

  private var optimizerTensors: [(name: String, shape: [Int], storage: Storage)] {
    optimizers.flatMap { phase, optimizer in
      optimizer.tensors.map { ("\(phase)/\($0.name)", $0.shape, $0.storage) }
    }
  }

  private func write(_ tensors: [(name: String, shape: [Int], storage: Storage)], to path: FilePath)
    throws
  {
    try Safetensors.write(
      tensors.map {
        ($0.name, $0.shape, UnsafeBufferPointer(start: $0.storage.pointer, count: $0.storage.count))
      }, metadata: [:], to: path)
  }

  private func read(
    _ tensors: [(name: String, shape: [Int], storage: Storage)], from path: FilePath
  ) throws {
    let file = try Safetensors(reading: path)
    for tensor in tensors {
      try file.copy(tensor.name, expecting: tensor.shape, to: tensor.storage.pointer)
    }
  }
}

extension ParameterStore {
  /// Parameters, then buffers, as a checkpoint holds them.
  var savedTensors: [(name: String, shape: [Int], storage: Storage)] {
    parameters.map { ($0.name, $0.shape.sizes, values.storage($0.range)) }
      + buffers.map { ($0.name, $0.shape.sizes, bufferValues.storage($0.range)) }
  }
}
