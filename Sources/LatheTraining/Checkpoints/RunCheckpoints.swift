import Foundation
import LatheDistributed
import LatheFiles
import LatheNN
import SystemPackage
import LatheTensors

/// The checkpoints of one run: what the trainer saves and how it finds its way back. Used on rank 0
/// only.
///
/// A checkpoint is written by a thread from a copy of the state, so training goes on meanwhile.
final class RunCheckpoints {
  /// A checkpoint that is on the disk.
  struct Saved: Sendable {
    let step: Int
    let path: FilePath
  }

  /// What a run goes on from, beside its tensors.
  struct Loaded: Codable {
    let step: Int
    let plateau: Plateau.State?

    init(_ state: RunState) { (step, plateau) = (state.step, state.plateau) }

    init(bytes: [UInt8]) throws {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    }

    var bytes: [UInt8] { get throws { Array(try JSONEncoder().encode(self)) } }
  }

  private let run: RunConfiguration
  private let folder: FilePath
  private let store: ParameterStore
  private let images: RunState.Images
  private let optimizers: [(phase: String, optimizer: Optimizer)]
  private let average: MovingAverage?
  private let fault: (any FaultInjector)?
  private var snapshots: [Snapshot] = []
  private var writing: BackgroundTask<Saved>?
  private(set) var lastSaved: FilePath?

  init(
    _ run: RunConfiguration, in folder: FilePath, store: ParameterStore, images: RunState.Images,
    optimizers: [(phase: String, optimizer: Optimizer)], average: MovingAverage? = nil,
    fault: (any FaultInjector)? = nil
  ) {
    (self.run, self.images) = (run, images)
    self.folder = folder.appending("checkpoints")
    self.store = store
    (self.optimizers, self.average) = (optimizers, average)
    self.fault = fault
  }

  /// Makes the folder and clears up after an earlier crash.
  func prepare() throws { _ = try CheckpointStore(folder: folder, keep: run.output.keep) }

  /// Copies the state and leaves it there.
  func copy() { _ = takeSnapshots() }

  /// Bytes of the tensors of a checkpoint.
  var byteCount: Int {
    files.flatMap(\.tensors).reduce(0) { $0 + 4 * $1.storage.count }
  }

  /// Copies the state and has it written; nothing else may be being written.
  func begin(step: Int, plateau: Plateau.State? = nil) {
    require(writing == nil, "RunCheckpoints: a checkpoint is being written")
    let copies = takeSnapshots()
    var newState = run.state(step: step, trainedOn: images)
    newState.plateau = plateau
    let state = newState
    let (folder, output, fault) = (folder, run.output, fault)
    writing = BackgroundTask {
      let checkpoints = try CheckpointStore(folder: folder, keep: output.keep)
      try checkpoints.write(step: step, keepEvery: output.keepEvery) { path in
        for (name, copy) in copies {
          try copy.write(to: path.appending(name))
          fault?.strikeWhileSaving(step: step)
        }
        try state.write(into: path, digesting: copies.map(\.name))
      }
      return Saved(step: step, path: checkpoints.path(step: step))
    }
  }

  /// Whether what was begun has come to its end, good or bad, and waits for `conclude`.
  var hasEnded: Bool { writing?.hasEnded ?? false }

  /// Waits until nothing is being written; its error is kept for `conclude`.
  func wait() { if let saved = try? writing?.result.get() { lastSaved = saved.path } }

  /// What was written since the last call, waited for if need be; nil if nothing was.
  func conclude() throws -> Saved? {
    guard let result = writing?.result else { return nil }
    writing = nil
    let saved = try result.get()
    lastSaved = saved.path
    return saved
  }

  private func takeSnapshots() -> [(name: String, copy: Snapshot)] {
    if snapshots.isEmpty { snapshots = files.map { Snapshot(of: $0.tensors) } }
    return zip(files, snapshots).map { file, copy in
      copy.take(file.tensors)
      return (file.name, copy)
    }
  }

  /// What a checkpoint holds, file by file.
  private var files: [(name: String, tensors: [NamedTensor])] {
    [(RunState.modelFile, store.savedTensors), (RunState.optimizerFile, optimizerTensors)]
      + (average.map { [(RunState.averageFile, $0.tensors)] } ?? [])
  }

  /// Loads the newest intact checkpoint of this run.
  ///
  /// `present` spells the model's configuration with today's names. `allowingOtherImages`, the
  /// checkpoint may have been trained on others.
  func load(
    allowingOtherImages: Bool, onSkip: (FilePath, FileError) -> Void,
    spelled present: (JSONValue) -> JSONValue
  ) throws -> Loaded {
    let found = try CheckpointStore(reading: folder).latest { try RunState(reading: $0) }
    guard var state = found?.value, let found else { throw TrainingError.nothingToResume(folder) }
    for (path, error) in found.skipped { onSkip(path, error) }
    state.run.model.configuration = present(state.run.model.configuration)
    try run.requireSameRun(as: state, at: found.path)
    if !allowingOtherImages { try state.requireSame(images, at: found.path) }
    for file in files { try read(file.tensors, from: found.path.appending(file.name)) }
    lastSaved = found.path
    return Loaded(state)
  }

  private var optimizerTensors: [NamedTensor] {
    optimizers.flatMap { phase, optimizer in
      optimizer.tensors.map { ("\(phase)/\($0.name)", $0.shape, $0.storage) }
    }
  }

  private func read(
    _ tensors: [NamedTensor], from path: FilePath
  ) throws {
    let file = try Safetensors(reading: path)
    for tensor in tensors {
      // The state's digest of the whole file has just been compared.
      try file.copy(
        tensor.name, expecting: tensor.shape, to: tensor.storage.pointer, verifying: false)
    }
  }
}

extension ParameterStore {
  /// Parameters as a checkpoint holds them.
  var parameterTensors: [NamedTensor] {
    parameters.map { ($0.name, $0.shape.sizes, values.storage($0.range)) }
  }

  /// Parameters, then buffers, as a checkpoint holds them.
  var savedTensors: [NamedTensor] {
    parameterTensors
      + buffers.map { ($0.name, $0.shape.sizes, bufferValues.storage($0.range)) }
  }
}
